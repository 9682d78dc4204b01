// A journal whose bytes are changed at random: a verification always ends, and
// never calls it whole when a payment, a step, a key or an answer is not what it was.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <random>

#include "proxy/journal/verify.hpp"
#include "tests/unit/proxy/journal/history.hpp"

namespace {

using namespace journal_test;
using turnout::journal::database;
using turnout::journal::database_error;
using turnout::journal::statement;

/// What must not change unnoticed. Left out: the starts that keys name, and notes about the file.
constexpr const char* contents[] = {
    "SELECT seq, id, merchant, livemode, status, open, answered, created_at, updated_at, due_at, record FROM payments "
    "ORDER BY 1",
    "SELECT slot, link, events, decisions FROM steps ORDER BY 1",
    "SELECT payment, merchant, livemode, key, mac, created_at FROM idempotency ORDER BY 1",
    "SELECT payment, status, body FROM answers ORDER BY 1",
    "SELECT object, payment, merchant, livemode, key, mac, created_at, status, body FROM operation_keys ORDER BY 1",
    "SELECT merchant, livemode, reference, payment FROM unique_references ORDER BY 1, 2, 3",
    "SELECT merchant, livemode, seq, status, connector, amount, currency, created_at FROM listing ORDER BY 1, 2, 3",
    "SELECT merchant, livemode, reference, seq FROM payment_references ORDER BY 1, 2, 3, 4",
    "SELECT merchant, livemode, customer, seq FROM payment_customers ORDER BY 1, 2, 3, 4",
    "SELECT seq, hour FROM hours ORDER BY 1",
};

std::string dump(const std::string& path) {
  database file(path, database::mode::read_only, "");
  std::string text;
  for (const char* each : contents) {
    statement rows(file, each);
    while (rows.step()) {
      for (int column = 0; column < rows.columns(); ++column) text.append(rows.text(column)).append("|");
      text += '\n';
    }
  }
  return text;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void damage(std::string& bytes, std::mt19937_64& dice) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(dice() % limit); };
  switch (below(8)) {
    case 0: bytes.resize(below(bytes.size())); return;
    case 1: {  // a page in the place of another
      const std::size_t pages = bytes.size() / 4096;
      bytes.replace(below(pages) * 4096, 4096, std::string(bytes, below(pages) * 4096, 4096));
      return;
    }
    case 2: bytes.replace(below(bytes.size() - 600), 512, 512, '\0'); return;
    case 3:
      for (int n = 0; n < 20; ++n) bytes[below(bytes.size())] = static_cast<char>(dice());
      return;
    default: bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
  }
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Damages a journal at random and verifies it");
  std::uint64_t seed = 1, runs = 600;
  app.add_option("--seed", seed);
  app.add_option("--runs", runs);
  CLI11_PARSE(app, count, arguments);
  std::printf("seed %ju\n", static_cast<std::uintmax_t>(seed));
  temporary_directory directory;
  const std::string path = directory / "journal.db", changed = directory / "changed.db";
  write_journal(path, 25, seed);
  const std::string whole = read_file(path), before = dump(path);
  std::mt19937_64 dice(seed);
  std::uint64_t harmless = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    std::string bytes = whole;
    damage(bytes, dice);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(changed + suffix);
    std::ofstream(changed, std::ios::binary | std::ios::trunc) << bytes;
    try {
      if (!turnout::journal::verify(changed).sound()) continue;
      ++harmless;
      if (dump(changed) == before) continue;
      std::printf("run %ju: called whole, and its contents are others\n", static_cast<std::uintmax_t>(run));
    } catch (const database_error& error) {
      std::printf("run %ju: %s\n", static_cast<std::uintmax_t>(run), error.what());
    }
    return 1;
  }
  std::printf("%ju damaged journals, %ju of them without harm to what they say\n", static_cast<std::uintmax_t>(runs),
              static_cast<std::uintmax_t>(harmless));
  return 0;
}
