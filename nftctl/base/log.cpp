// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/log.h"

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

namespace natctl {

namespace {

/// Of syslog(3), as the journal wants it at the beginning of a line.
std::string_view priority_of(spdlog::level::level_enum level) {
    switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return "<7>";
    case spdlog::level::warn: return "<4>";
    case spdlog::level::err: return "<3>";
    case spdlog::level::critical: return "<2>";
    default: return "<6>";
    }
}

class PriorityFlag : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const auto priority = priority_of(message.level);
        out.append(priority.data(), priority.data() + priority.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

/// JOURNAL_STREAM names the journal's end of a stream, which what is started may have replaced (systemd.exec(5)).
bool stderr_is_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream && ::fstat(STDERR_FILENO, &status) == 0 &&
           stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

} // namespace

void log_to_stderr(const std::string& program, const std::string& level) {
    spdlog::set_default_logger(spdlog::stderr_color_mt(program));
    spdlog::set_level(spdlog::level::from_str(level));
    if (!stderr_is_journal()) return;
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PriorityFlag>('j').set_pattern("%j%v");
    spdlog::set_formatter(std::move(formatter));
}

} // namespace natctl
