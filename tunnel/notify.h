// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace natctl {

/// Tells the service manager (sd_notify(3)), when there is one: "READY=1", "STOPPING=1". Failures are of no concern.
void notify_service_manager(const std::string& state);

/// A file that exists while the program is ready; its content is the process id and a line break.
class ReadyFile {
public:
    /// Removes what a program that was killed may have left.
    explicit ReadyFile(std::filesystem::path path);
    /// The file appears whole or not at all. Makes the folder when it is missing. Throws SystemError.
    void publish();
    ~ReadyFile();
    ReadyFile(const ReadyFile&) = delete;
    ReadyFile& operator=(const ReadyFile&) = delete;

private:
    std::filesystem::path path_;
};

} // namespace natctl
