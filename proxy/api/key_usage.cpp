#include "proxy/api/key_usage.hpp"

#include <boost/json.hpp>

#include "proxy/api/json_text.hpp"
#include "proxy/api/private_file.hpp"
#include "proxy/api/rfc3339.hpp"

namespace turnout::api {

namespace {
std::filesystem::path file_in(const std::filesystem::path& directory) { return directory / "api_keys_used.json"; }
}  // namespace

key_usage::key_usage(const std::filesystem::path& directory) : file_(file_in(directory)), known_(read(directory)) {}

key_uses key_usage::read(const std::filesystem::path& directory) {
  key_uses uses;
  try {
    const std::optional<std::string> text = read_private_file(file_in(directory));
    boost::json::error_code ec;
    const boost::json::value root = text ? boost::json::parse(*text, ec) : boost::json::value();
    const boost::json::value* list = !ec && root.is_object() ? root.get_object().if_contains("used") : nullptr;
    if (list == nullptr || !list->is_object()) return uses;
    for (const auto& [id, at] : list->get_object()) {
      if (!at.is_string()) continue;
      if (const auto time = parse_rfc3339({at.get_string().data(), at.get_string().size()}))
        uses.emplace(std::string(id), *time);
    }
  } catch (const std::exception&) {
    uses.clear();
  }
  return uses;
}

bool key_usage::take(const key_uses& uses) {
  for (const auto& [id, at] : uses) {
    payments::wall_time& known = known_[id];
    news_ = news_ || at > known;
    known = std::max(known, at);
  }
  return news_;
}

void key_usage::write() {
  std::string text = "{\"version\": 1, \"used\": {";
  for (const auto& [id, at] : known_) {
    text.append(text.back() == '{' ? "\n  " : ",\n  ");
    append_string(text, id);
    text.append(": ");
    append_time(text, at);
  }
  news_ = false;
  replace_private_file(file_, text.append("\n}}\n"));
}

void key_usage::save_if_due(const key_uses& uses, payments::steady_time now) {
  if (!take(uses) || (written_ && now - *written_ < interval)) return;
  written_ = now;
  write();
}

void key_usage::save(const key_uses& uses) {
  if (take(uses)) write();
}

}  // namespace turnout::api
