// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/child_record.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include <nlohmann/json.hpp>
#include <sys/syscall.h>
#include <unistd.h>

namespace natctl {

std::string text_of(const ChildRecord& record) {
    const nlohmann::ordered_json json{{"pid", record.pid},
                                      {"start", record.start},
                                      {"command", record.command.words},
                                      {"revision", record.command.revision}};
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<ChildRecord> child_record_of(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        return ChildRecord{
            .pid = json.at("pid").get<pid_t>(),
            .start = json.at("start").get<std::uint64_t>(),
            .command = {json.at("command").get<std::vector<std::string>>(), json.at("revision").get<std::string>()}};
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

std::optional<std::uint64_t> start_of_process(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text(std::istreambuf_iterator<char>(file), {});
    // The name of the program, in brackets, may hold anything.
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(text.substr(name_end + 1));
    constexpr int fields_between = 19;
    std::string skipped;
    for (int i = 0; i < fields_between; ++i) rest >> skipped;
    std::uint64_t start = 0;
    if (!(rest >> start)) return std::nullopt;
    return start;
}

Fd open_process(const ChildRecord& record) {
    if (record.pid <= 1) return {};
    Fd process(static_cast<int>(::syscall(SYS_pidfd_open, record.pid, 0)));
    // Looked at when the number can no longer go to another one unnoticed.
    if (!process || start_of_process(record.pid) != record.start) return {};
    return process;
}

} // namespace natctl
