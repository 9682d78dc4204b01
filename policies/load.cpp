// A policy file into policies. Its version is a hash of what the files say,
// comments and layout aside: FNV-1a, 64 bits, of each tree as yaml-cpp writes
// it, chained over the files.
#include <algorithm>
#include <array>

#include "policies/reading.hpp"

namespace turnout::policies {
namespace {

using settings::value;

constexpr std::size_t longest_name = 64;

// Policy names are metric labels.
bool good_name(std::string_view name) noexcept {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return name.size() <= longest_name && std::all_of(name.begin(), name.end(), good);
}

bool is_catch_all(const policy& each) noexcept { return each.match == nullptr; }

std::string read_name(const value& from, const policy_set& before) {
  const auto name = from.text();
  if (!name) return {};
  if (!good_name(*name)) {
    from.error("'name' must be up to 64 letters, digits, '-' and '_', not '" + from.raw() + "'");
  } else if (std::any_of(before.policies.begin(), before.policies.end(),
                         [&](const policy& other) { return other.name == *name; })) {
    from.error("a policy named '" + *name + "' exists already; names must be unique over all policy files");
  }
  return *name;
}

void warn_when_unreachable(const value& position, const policy_set& before) {
  const auto all = std::find_if(before.policies.begin(), before.policies.end(), is_catch_all);
  if (all == before.policies.end()) return;
  position.warning("this policy is never reached: '" + all->name +
                   "' before it has no 'match' and takes every payment (files are read in the order of their names)");
}

policy read_policy(const value& from, const std::vector<std::string_view>& connectors, const policy_set& before) {
  const settings::fields keys(from, {"name", "match", "route", "retry", "expire_after"});
  policy read;
  const value name = keys.required("name");
  read.name = read_name(name, before);
  warn_when_unreachable(name.present() ? name : from, before);
  read.match = read_match(keys.optional("match"));
  read.route = read_route(keys.optional("route"), connectors);
  retry_rules rules = read_retry(keys.optional("retry"));
  read.retry = rules.plan;
  read.retry_budget = rules.budget;
  using namespace std::chrono_literals;
  if (const auto after = keys.optional("expire_after").duration(1s, std::chrono::hours(24 * 30)))
    read.retry.expire_after = std::chrono::ceil<std::chrono::seconds>(*after);
  return read;
}

std::string chained_hash(std::string_view before, std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // Fowler, Noll, Vo
  const auto take = [&](std::string_view bytes) {
    for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  };
  take(before);
  take(text);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 16; shift -= 4) out += digits[(hash >> shift) & 15];
  return out;
}

}  // namespace

void load(const settings::document& file, const std::vector<std::string_view>& connectors, policy_set& into,
          settings::problems& found) {
  const settings::fields top(settings::root(file, found), {"version", "policies"});
  top.required("version").integer(1, 1);
  const value list = top.required("policies");
  const std::vector<value> items = list.items();
  if (list.is_list() && items.empty()) list.error("'policies' must have at least one policy");
  for (const value& item : items) into.policies.push_back(read_policy(item, connectors, into));
  into.version = chained_hash(into.version, YAML::Dump(file.root));
}

void check_default(const policy_set& set, settings::problems& found) {
  if (std::any_of(set.policies.begin(), set.policies.end(), is_catch_all)) return;
  settings::problem missing;
  missing.file = "policies";
  missing.warning = true;
  missing.message =
      set.policies.empty()
          ? "there is no policy: every payment will be refused"
          : "no policy takes every payment: one that matches none is refused; let the last have no 'match'";
  found.push_back(std::move(missing));
}

}  // namespace turnout::policies
