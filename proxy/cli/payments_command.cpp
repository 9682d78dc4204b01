// turnout payments: what the journal knows, read beside a running proxy.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include "proxy/cli/commands.hpp"
#include "proxy/journal/reader.hpp"
#include "proxy/server/settings_file.hpp"

namespace turnout::cli {
namespace {

struct options {
  std::string conf = default_conf;
  std::string id;
};

std::unique_ptr<journal::reader> open_journal(const options& given) {
  const server::loaded_settings loaded = server::load_settings(given.conf, server::system_secrets());
  for (const settings::problem& each : loaded.problems) std::fprintf(stderr, "%s\n", each.to_string().c_str());
  if (settings::has_errors(loaded.problems)) return nullptr;
  return journal::open_reader(loaded.settings.journal_path);
}

std::string timestamp(payments::wall_time at) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  const std::time_t seconds = since.count() / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(since.count() % 1000));
  return text;
}

std::string amount(const payments::money& value) {
  return payments::to_decimal(value) + " " + std::string(value.unit.code());
}

/// Text from outside must not move the terminal's cursor.
std::string printable(std::string_view text) {
  std::string out;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    out += byte < 0x20 || byte == 0x7f ? '?' : each;
  }
  return out;
}

void print_attempt(const payments::attempt& each) {
  std::string line = each.id + "  " + each.connector + "  " + std::string(to_string(each.operation)) + " " +
                     amount(each.amount) + "  " +
                     (each.in_flight ? std::string("in_flight") : std::string(to_string(each.outcome)));
  if (!each.code.empty()) line += " " + each.code;
  if (!each.gateway_reference.empty()) line += "  at the gateway: " + printable(each.gateway_reference);
  if (each.reversal != payments::reversal_state::none)
    line += "  reversal " + std::string(to_string(each.reversal)) + " (" + each.reversal_reason + ")";
  std::printf("  %s\n", line.c_str());
}

void print_payment(const payments::payment& each) {
  std::printf("%s  %s  %s  %s  %s  created %s\n", each.id.c_str(), std::string(to_string(each.status)).c_str(),
              amount(each.amount).c_str(), each.merchant.c_str(), each.livemode ? "live" : "test",
              timestamp(each.created_at).c_str());
  if (!each.reference.empty()) std::printf("  reference %s\n", printable(each.reference).c_str());
  if (each.error) std::printf("  error %s: %s\n", each.error->code.c_str(), printable(each.error->message).c_str());
  if (each.attention)
    std::printf("  needs attention since %s: %s\n", timestamp(each.attention->since).c_str(),
                each.attention->reason.c_str());
  for (const payments::attempt& attempt : each.attempts) print_attempt(attempt);
}

int show(const options& given) {
  const auto journal = open_journal(given);
  if (!journal) return 1;
  const auto found = journal->find_payment(given.id);
  if (!found) {
    std::fprintf(stderr, "there is no payment %s\n", given.id.c_str());
    return 1;
  }
  print_payment(*found);
  std::puts("events:");
  for (const payments::payment_event& each : journal->events_of(given.id))
    std::printf("  %s  %-18s  %s %s\n", timestamp(each.at).c_str(), std::string(to_string(each.type)).c_str(),
                each.attempt.c_str(), each.code.c_str());
  return 0;
}

int unresolved(const options& given) {
  const auto journal = open_journal(given);
  if (!journal) return 1;
  const auto found = journal->unfinished();
  for (const payments::payment& each : found) print_payment(each);
  std::fprintf(stderr, "%zu unresolved\n", found.size());
  return 0;
}

}  // namespace

void add_payments(CLI::App& app, command& chosen) {
  CLI::App* payments = app.add_subcommand("payments", "Payments as the journal has them");
  payments->require_subcommand(1);
  auto given = std::make_shared<options>();
  const auto conf = [given](CLI::App* sub) {
    sub->add_option("--conf", given->conf, "Directory that holds turnout.yaml")->capture_default_str();
  };

  CLI::App* showing = payments->add_subcommand("show", "One payment: attempts and events");
  conf(showing);
  showing->add_option("id", given->id, "pay_…")->required();
  showing->callback([given, &chosen] { chosen = [given] { return show(*given); }; });

  CLI::App* listing = payments->add_subcommand("unresolved", "Payments that are not settled, oldest first");
  conf(listing);
  listing->callback([given, &chosen] { chosen = [given] { return unresolved(*given); }; });
}

}  // namespace turnout::cli
