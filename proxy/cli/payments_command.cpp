// turnout payments: what the journal knows, read beside a running proxy, and a
// person's word on what nobody proves, which goes through the running proxy.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "proxy/cli/admin_client.hpp"
#include "proxy/cli/commands.hpp"
#include "proxy/cli/payment_story.hpp"
#include "proxy/journal/reader.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct options {
  std::string conf = default_conf;
  std::string id, format = "text";
  std::string attempt, modification, as, reason, by, reference, admin, ca;
  bool yes = false;
};

/// How long is asked again while the gateway is being asked about the same thing.
constexpr std::chrono::seconds busy_patience{20};

std::optional<server::server_settings> read_settings(const options& given) {
  server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return std::nullopt;
  return std::move(loaded.settings);
}

std::unique_ptr<journal::reader> open_journal(const options& given) {
  const auto configured = read_settings(given);
  return configured ? journal::open_reader(configured->journal_path) : nullptr;
}

/// What connectors promise, to tell what is awaited of them; without it the rest is told all the same.
profiles read_profiles(const options& given) {
  server::loaded_files files = server::load_files(given.conf, server::system_secrets());
  if (!files.configuration)
    std::fputs("the connectors' files have errors (see turnout check): what is awaited of them is not known\n", stderr);
  return [config = files.configuration](std::string_view name) -> const payments::connector_profile* {
    const connectors::definition* found = config ? config->find(name) : nullptr;
    return found ? &found->profile() : nullptr;
  };
}

int no_such_payment(const std::string& id) {
  std::fprintf(stderr, "there is no payment %s\n", id.c_str());
  return 1;
}

void print(const json::value& value) { std::printf("%s\n", json::serialize(value).c_str()); }

int show(const options& given) {
  const auto journal = open_journal(given);
  if (!journal) return 1;
  const auto found = journal->find_payment(given.id);
  if (!found) return no_such_payment(given.id);
  const auto known = read_profiles(given);
  const auto events = journal->events_of(given.id);
  const auto decisions = journal->decisions_of(given.id);
  const payments::wall_time now = std::chrono::system_clock::now();
  if (given.format == "json") {
    json::object all = to_json(*found, known, now);
    all["events"] = to_json(events);
    json::array why;
    for (const std::string& each : decisions) why.push_back(json::parse(each));
    all["decisions"] = std::move(why);
    print(all);
    return 0;
  }
  std::printf("%sevents:\n%s", story(*found, known, now).c_str(), story_of_events(events).c_str());
  if (!decisions.empty()) std::puts("decisions:");
  for (const std::string& each : decisions) std::printf("  %s\n", each.c_str());
  return 0;
}

int unresolved(const options& given) {
  const auto journal = open_journal(given);
  if (!journal) return 1;
  const auto known = read_profiles(given);
  const auto found = journal->unfinished();
  const payments::wall_time now = std::chrono::system_clock::now();
  if (given.format == "json") {
    json::array all;
    for (const payments::payment& each : found) all.push_back(to_json(each, known, now));
    print(all);
    return 0;
  }
  std::size_t attention = 0;
  for (const payments::payment& each : found) {
    std::fputs(story(each, known, now).c_str(), stdout);
    attention += each.attention ? 1 : 0;
  }
  std::fprintf(stderr, "%zu unresolved, %zu of them need attention\n", found.size(), attention);
  return 0;
}

// ---- resolve ------------------------------------------------------------

bool is_terminal() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

std::string ask(const std::string& question) {
  std::fprintf(stderr, "%s", question.c_str());
  std::string line;
  std::getline(std::cin, line);
  return line;
}

/// Services and containers have no name in their environment, but always a number.
std::string this_user() {
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return "uid " + std::to_string(getuid());
}

/// What a person must have said; false after what is missing was printed.
bool complete(options& given) {
  if (given.by.empty()) given.by = this_user();
  if (given.reason.empty() && is_terminal()) given.reason = ask("What does that rest on (kept for good)? ");
  if (!given.reason.empty()) return true;
  std::fputs("--reason is needed: what the word rests on, such as \"case 4711: the portal shows no charge\"\n", stderr);
  return false;
}

/// Says what would follow, as the journal is now; false when it would be refused, or is not wanted.
bool confirmed(const options& given, const payments::payment& record, const std::string& target) {
  const auto as = *payments::parse_verdict(given.as);
  const payments::resolution_check check = check_resolution(record, target, as);
  using refusal = payments::resolution_refusal;
  if (check.refusal == refusal::not_in_doubt || check.refusal == refusal::unknown_target) {
    std::fprintf(stderr, "%s\n", check.text.c_str());
    return false;
  }
  if (check.refusal == refusal::busy || given.yes || !is_terminal()) return true;  // the proxy has the last word
  std::fprintf(stderr, "%s is %s. If you say %s: %s.\n", target.c_str(), state_of(record, target).c_str(),
               given.as.c_str(), check.text.c_str());
  const std::string answer = ask("This cannot be taken back. Go on (yes/no)? ");
  return answer == "yes" || answer == "y";
}

std::string member(const json::value& body, const char* name) {
  const json::object* object = body.if_object();
  const json::value* found = object != nullptr ? object->if_contains(name) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

int tell(const options& given, const net::response& answer) {
  boost::system::error_code failed;
  const json::value body = json::parse(answer.body, failed);
  if (answer.status == 200 && !failed) {
    if (given.format == "json") {
      std::printf("%s\n", answer.body.c_str());
      return 0;
    }
    std::printf("%s: %s, %s before and %s now; %s is %s\n%s\n", member(body, "target").c_str(),
                member(body, "as").c_str(), member(body, "before").c_str(), member(body, "after").c_str(),
                member(body, "payment").c_str(), member(body, "status").c_str(), member(body, "follows").c_str());
    return 0;
  }
  const std::string detail = failed ? std::string() : member(body, "detail");
  if (answer.status == 401)
    std::fputs("the proxy asks for its admin token: set admin.token in this turnout.yaml as in the proxy's\n", stderr);
  else
    std::fprintf(stderr, "refused (%u): %s\n", answer.status, detail.c_str());
  return 1;
}

/// Throws std::runtime_error, with what to do.
admin_address find_admin(const server::server_settings& configured, const options& given) {
  admin_address found{given.admin, configured.admin_token, {}};
  if (!given.ca.empty()) {
    std::ifstream in(given.ca, std::ios::binary);
    if (!in) throw std::runtime_error("--ca " + given.ca + ": cannot be read");
    found.ca.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (!found.url.empty()) return found;
  if (configured.admin.port == 0)
    throw std::runtime_error(
        "turnout.yaml lets the admin listener take any free port: say where it is with --admin http://127.0.0.1:PORT "
        "(the proxy prints it when it is ready)");
  found.url = admin_url(configured.admin);
  return found;
}

net::response ask_proxy(const admin_address& proxy, const std::string& path, const std::string& body) {
  try {
    return ask_admin(proxy, path, body);
  } catch (const std::exception& failed) {
    throw std::runtime_error(std::string("no proxy answers (") + failed.what() +
                             "): is it running? Only it writes the journal, so this goes through its admin listener: "
                             "'admin' in turnout.yaml, or --admin URL, and --ca FILE for its certificate");
  }
}

int resolve(options given) {
  const auto configured = read_settings(given);
  if (!configured) return 1;
  const std::string target = given.attempt.empty() ? given.modification : given.attempt;
  const auto found = journal::open_reader(configured->journal_path)->find_payment(given.id);
  if (!found) return no_such_payment(given.id);
  if (!complete(given) || !confirmed(given, *found, target)) return 1;
  json::object body{{given.attempt.empty() ? "modification" : "attempt", target},
                    {"as", given.as},
                    {"reason", given.reason},
                    {"by", given.by}};
  if (!given.reference.empty()) body["reference"] = given.reference;
  const admin_address proxy = find_admin(*configured, given);
  const auto until = std::chrono::steady_clock::now() + busy_patience;
  for (;;) {
    const net::response answer = ask_proxy(proxy, "/admin/payments/" + given.id + "/resolve", json::serialize(body));
    constexpr unsigned busy = 409;
    if (answer.status != busy || std::chrono::steady_clock::now() >= until) return tell(given, answer);
    std::this_thread::sleep_for(1s);
  }
}

void add_resolve(CLI::App& payments, const std::shared_ptr<options>& given, command& chosen) {
  CLI::App* resolving = payments.add_subcommand(
      "resolve", "End by hand what no gateway proves: through the running proxy, for good, with your reason kept");
  resolving->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
  resolving->add_option("id", given->id, "pay_…")->required();
  CLI::Option* attempt = resolving->add_option("--attempt", given->attempt, "att_…: the attempt that is in doubt");
  CLI::Option* modification =
      resolving->add_option("--modification", given->modification, "cap_…, ref_… or can_… that is in doubt");
  attempt->excludes(modification);
  resolving
      ->add_option("--as", given->as,
                   "What is true: charged (or captured, refunded, voided), or not_charged (not done)")
      ->required()
      ->check(CLI::IsMember({"charged", "not_charged"}));
  resolving->add_option("--reason", given->reason, "What it rests on; asked for on a terminal");
  resolving->add_option("--by", given->by, "Who says so; this user if not given");
  resolving->add_option("--reference", given->reference, "The gateway's own id of it, where you found one");
  resolving->add_option("--admin", given->admin, "The proxy's admin listener; as in turnout.yaml if not given");
  resolving->add_option("--ca", given->ca, "PEM file to trust instead of the system's store");
  resolving->add_option("--format", given->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  resolving->add_flag("--yes", given->yes, "Do not ask whether to go on");
  resolving->callback([given, attempt, modification, &chosen] {
    if (attempt->empty() && modification->empty())
      throw CLI::RequiredError("--attempt or --modification (turnout payments show tells which are open)");
    chosen = [given] { return resolve(*given); };
  });
}

}  // namespace

void add_payments(CLI::App& app, command& chosen) {
  CLI::App* payments = app.add_subcommand("payments", "Payments as the journal has them, and a word on those in doubt");
  payments->require_subcommand(1);
  auto given = std::make_shared<options>();
  const auto reading = [given](CLI::App* sub) {
    sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
    sub->add_option("--format", given->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
  };

  CLI::App* showing = payments->add_subcommand("show", "One payment: money, attempts, what is open, events, decisions");
  reading(showing);
  showing->add_option("id", given->id, "pay_…")->required();
  showing->callback([given, &chosen] { chosen = [given] { return show(*given); }; });

  CLI::App* listing = payments->add_subcommand(
      "unresolved", "Payments that are not settled, oldest first: what was tried and what is awaited");
  reading(listing);
  listing->callback([given, &chosen] { chosen = [given] { return unresolved(*given); }; });

  add_resolve(*payments, given, chosen);
}

}  // namespace turnout::cli
