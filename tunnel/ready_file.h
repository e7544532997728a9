// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

namespace natctl {

/// A file that exists while the program is ready; its content is the process id and a line break.
class ReadyFile {
public:
    /// Removes the file of a program that was killed; that of a living one stays until publish().
    explicit ReadyFile(std::filesystem::path path);
    /// The file appears whole or not at all. Makes the folder when it is missing. Throws SystemError.
    void publish();
    ~ReadyFile();
    ReadyFile(const ReadyFile&) = delete;
    ReadyFile& operator=(const ReadyFile&) = delete;

private:
    std::filesystem::path path_;
    bool published_ = false;
};

} // namespace natctl
