// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/run_time_list.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr const char* no_deadline = "-";

std::string path_in(const std::string& run_dir) { return run_dir + "/white_list"; }

std::optional<std::chrono::nanoseconds> deadline_of(const std::string& text) {
    std::chrono::nanoseconds::rep count = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || rest != end || count < 0) return std::nullopt;
    return std::chrono::nanoseconds(count);
}

std::optional<RunTimeRecord> record_of(const std::string& line) {
    std::istringstream words(line);
    std::string prefix;
    std::string deadline;
    RunTimeRecord record;
    if (!(words >> prefix >> deadline)) return std::nullopt;
    std::string more;
    if (words >> record.name && (!is_dns_name(record.name) || words >> more)) return std::nullopt;
    const auto parsed = Prefix::parse(prefix);
    if (!parsed) return std::nullopt;
    record.prefix = *parsed;
    if (deadline == no_deadline) return record;
    record.deadline = deadline_of(deadline);
    return record.deadline ? std::optional(record) : std::nullopt;
}

std::optional<std::string> boot_of(const std::string& line) {
    std::istringstream words(line);
    std::string key;
    std::string id;
    std::string more;
    if (!(words >> key >> id) || key != "boot" || words >> more) return std::nullopt;
    return id;
}

SystemError unreadable(const std::string& path, int line) {
    return {"read", fmt::format("{}:{}", path, line), EINVAL,
            fmt::format("somebody else wrote into it; without it the white list is what site.toml says: rm {}", path)};
}

} // namespace

std::string text_of(const RunTimeList& list) {
    std::string text = fmt::format("boot {}\n", list.boot);
    for (const auto& [prefix, deadline, name] : list.records) {
        text += prefix.text() + " " + (deadline ? std::to_string(deadline->count()) : no_deadline);
        text += (name.empty() ? "" : " " + name) + "\n";
    }
    return text;
}

RunTimeList run_time_list_of(const std::string& text, const std::string& path) {
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    const auto boot = boot_of(line);
    if (!boot) throw unreadable(path, 1);
    RunTimeList list{.boot = *boot, .records = {}};
    for (int number = 2; std::getline(lines, line); ++number) {
        const auto record = record_of(line);
        if (!record) throw unreadable(path, number);
        list.records.push_back(*record);
    }
    return list;
}

std::vector<RunTimeRecord> records_at(const RunTimeList& list, std::chrono::nanoseconds now, const std::string& boot) {
    if (list.boot != boot) return {};
    auto records = list.records;
    std::erase_if(records, [&](const RunTimeRecord& record) { return record.deadline && *record.deadline <= now; });
    return records;
}

std::vector<RunTimeEntry> entries_of(const std::vector<RunTimeRecord>& records, std::chrono::nanoseconds now) {
    std::vector<RunTimeEntry> entries;
    for (const auto& [prefix, deadline, name] : records) {
        RunTimeEntry entry{.prefix = prefix, .name = name};
        if (deadline) {
            if (*deadline <= now) continue;
            entry.lifetime = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now);
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::vector<RunTimeRecord> read_run_time_list(const std::string& run_dir) {
    const auto path = path_in(run_dir);
    const auto text = read_text(path);
    if (!text) return {};
    return records_at(run_time_list_of(*text, path), boot_clock(), boot_id());
}

std::vector<RunTimeEntry> read_run_time_entries(const std::string& run_dir) {
    return entries_of(read_run_time_list(run_dir), boot_clock());
}

void write_run_time_list(const std::string& run_dir, const std::vector<RunTimeRecord>& records) {
    if (records.empty())
        remove_file(path_in(run_dir));
    else
        PreparedFile(path_in(run_dir), text_of({boot_id(), records})).publish();
}

} // namespace natctl
