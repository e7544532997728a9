// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace natctl {

// Files that survive a loss of power whole or not at all.

/// With what lies above it. It is not an error when it exists.
void make_directory(const std::string& path);

/// The new content of a file, on the disk under another name. What may fail for want of space, has not failed then.
class PreparedFile {
public:
    /// Writes PATH.new and waits for the disk. Its directory is made where it is missing. Mode 600.
    PreparedFile(std::string path, std::string_view content);
    PreparedFile(const PreparedFile&) = delete;
    PreparedFile& operator=(const PreparedFile&) = delete;
    /// Without publish() nothing has happened.
    ~PreparedFile();

    /// Puts it into its place. When this returns, it is there also after a loss of power.
    void publish();

private:
    std::string path_;
    bool published_ = false;
};

/// nullopt when there is no such file.
std::optional<std::string> read_text(const std::string& path);

/// Each is durable when it returns; false when there was no such file.
bool remove_file(const std::string& path);
bool move_file(const std::string& from, const std::string& to);

} // namespace natctl
