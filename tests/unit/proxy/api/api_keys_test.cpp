#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <tuple>

#include <sys/stat.h>
#include <unistd.h>

#include "proxy/api/api_key_ring.hpp"
#include "proxy/api/api_key_store.hpp"
#include "proxy/api/credentials.hpp"

namespace turnout::api {
namespace {

using namespace std::chrono_literals;

/// A directory of its own for each test, gone afterwards.
struct temporary_directory {
  std::filesystem::path path;
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-keys-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path = name;
  }
  ~temporary_directory() { std::filesystem::remove_all(path); }
};

std::string read_all(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_all(const std::filesystem::path& path, std::string_view text) {
  // A new file, as an editor or a restore would make it: another inode.
  const std::filesystem::path fresh = path.string() + ".test";
  std::ofstream(fresh, std::ios::binary) << text;
  std::filesystem::permissions(fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::rename(fresh, path);
}

std::pair<std::string, std::string> halves(const std::string& key) {
  const std::size_t colon = key.find(':');
  return {key.substr(0, colon), key.substr(colon + 1)};
}

payments::wall_time noon() { return std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + 12h; }
payments::instant at(std::chrono::milliseconds since) { return {payments::steady_time(1h) + since, noon() + since}; }

TEST_CASE("a key is shown once and kept as a hash") {
  const temporary_directory home;
  api_key_store store(home.path / "keys");
  CHECK(store.list().empty());
  const auto [id, secret] = halves(store.create("demo", false));
  CHECK(id.starts_with("ak_"));
  CHECK(secret.starts_with("sk_"));
  CHECK(secret.size() >= 55);
  const std::string kept = read_all(store.file());
  CHECK(kept.find(id) != std::string::npos);
  CHECK(kept.find(secret) == std::string::npos);
  CHECK(kept.find(secret.substr(3)) == std::string::npos);
  struct stat status {};
  REQUIRE(::stat(store.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat((home.path / "keys").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);

  const std::string other = store.create("shop-2", true);
  CHECK(halves(other).first != id);
  const std::vector<api_key> keys = store.list();
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].merchant == "demo");
  CHECK_FALSE(keys[0].livemode);
  CHECK(keys[0].created_at.size() == 20);
  CHECK_FALSE(keys[0].revoked());
  CHECK(keys[1].merchant == "shop-2");
  CHECK(keys[1].livemode);
}

TEST_CASE("merchants' names are plain") {
  const temporary_directory home;
  api_key_store store(home.path);
  for (const std::string& name : {std::string(), std::string("Demo"), std::string("a b"), std::string("a/b"),
                                  std::string("é"), std::string(41, 'a'), std::string("a\n")}) {
    INFO(name);
    CHECK_THROWS_AS(store.create(name, false), std::invalid_argument);
  }
  CHECK_NOTHROW(store.create(std::string(40, 'a'), false));
  CHECK_NOTHROW(store.create("a-b_9", false));
}

TEST_CASE("a revoked key stays revoked and listed") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create("demo", false));
  CHECK_FALSE(store.revoke("ak_nobody"));
  CHECK(store.revoke(id));
  const std::string when = store.list()[0].revoked_at;
  CHECK(when.size() == 20);
  CHECK(store.revoke(id));
  CHECK(store.list()[0].revoked_at == when);
}

TEST_CASE("keys made at the same time are all kept") {
  const temporary_directory home;
  std::vector<std::thread> makers;
  for (int i = 0; i < 4; ++i)
    makers.emplace_back([&] {
      api_key_store store(home.path);
      for (int j = 0; j < 5; ++j) store.create("demo", false);
    });
  for (std::thread& each : makers) each.join();
  CHECK(api_key_store(home.path).list().size() == 20);
}

TEST_CASE("a store that cannot be read says so and is not overwritten") {
  const temporary_directory home;
  api_key_store store(home.path);
  const std::string good = (store.create("demo", false), read_all(store.file()));
  const auto swap = [&](std::string_view what, std::string_view instead) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), instead);
  };
  for (const std::string& damaged :
       {std::string(), std::string("{"), std::string("[]"), good.substr(0, good.size() / 2),
        swap("\"version\": 2", "\"version\": 3"), swap("payments:read", "payments:reed"),
        swap(", \"expires_at\": null", ""), swap("\"scopes\": [", "\"sopes\": ["),
        swap("\"mode\": \"test\"", "\"mode\": \"prod\""), swap(", \"revoked_at\": null", ""), swap("ak_", "xx_"),
        swap("\"secret_sha256\": \"", "\"secret_sha256\": \"0")}) {
    INFO(damaged);
    write_all(store.file(), damaged);
    CHECK_THROWS_AS(store.list(), std::runtime_error);
    CHECK_THROWS_AS(store.create("demo", false), std::runtime_error);
    CHECK(read_all(store.file()) == damaged);
  }
}

TEST_CASE("a key has the scopes and the expiry that it was made with") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create(
      "demo", false, scope_set().add(scope::payments_read).add(scope::webhooks_manage), noon() + 1ms + 1h));
  store.create("demo", false);
  CHECK_THROWS_AS(store.create("demo", false, scope_set()), std::invalid_argument);
  const std::vector<api_key> keys = store.list();
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].scopes == scope_set().add(scope::payments_read).add(scope::webhooks_manage));
  CHECK(keys[0].expires_at == noon() + 1h);
  CHECK_FALSE(keys[0].expired(noon() + 1h - 1s));
  CHECK(keys[0].expired(noon() + 1h));
  CHECK(keys[1].scopes == scope_set::all());
  CHECK_FALSE(keys[1].expired(noon() + 24h * 365 * 100));
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  CHECK(ring.authenticate(id, secret, at(0ms))->scopes == keys[0].scopes);
}

TEST_CASE("an expired key is as unknown as one that never was") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create("demo", false, scope_set::all(), noon() + 10s));
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  CHECK(ring.authenticate(id, secret, at(9'999ms)).has_value());
  CHECK_FALSE(ring.authenticate(id, secret, at(10'000ms)).has_value());
  // A file that cannot be used is looked at, and reported, whatever the fault: the work is the same.
  for (const auto& [wrong_id, wrong_secret] :
       {std::pair(id, secret), std::pair(id, secret + "x"), std::pair(std::string("ak_nobody"), secret)}) {
    int reports = 0;
    api_key_ring other(store.file(), [&](const std::string&) { ++reports; });
    other.load();
    const std::string good = read_all(store.file());
    write_all(store.file(), "{");
    CHECK_FALSE(other.authenticate(wrong_id, wrong_secret, at(10'000ms)).has_value());
    CHECK(reports == 1);
    write_all(store.file(), good);
  }
}

TEST_CASE("a rotated key and its successor work side by side for the overlap") {
  const temporary_directory home;
  api_key_store store(home.path);
  const scope_set reading = scope_set().add(scope::payments_read);
  const auto [id, secret] = halves(store.create("demo", true, reading));
  const payments::wall_time before = std::chrono::system_clock::now();
  const auto made = store.rotate(id, 24h);
  REQUIRE(made.has_value());
  const auto [new_id, new_secret] = halves(made->key);
  CHECK(new_id != id);
  CHECK(new_secret != secret);
  CHECK(made->old_expires_at >= before + 24h - 1s);
  CHECK(made->old_expires_at <= std::chrono::system_clock::now() + 24h);

  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  const auto with_time = [](payments::wall_time wall) { return payments::instant{payments::steady_time(1h), wall}; };
  const auto in_time = with_time(made->old_expires_at - 1s), late = with_time(made->old_expires_at);
  CHECK(ring.authenticate(id, secret, in_time).has_value());
  CHECK_FALSE(ring.authenticate(id, secret, late).has_value());
  CHECK_FALSE(ring.authenticate(id, new_secret, in_time).has_value());
  const auto successor = ring.authenticate(new_id, new_secret, late);
  REQUIRE(successor.has_value());
  CHECK(successor->merchant == "demo");
  CHECK(successor->livemode);
  CHECK(successor->scopes == reading);
  CHECK_FALSE(store.list()[1].expires_at.has_value());
}

TEST_CASE("rotation never lengthens a key's life, and not every key can be rotated") {
  const temporary_directory home;
  api_key_store store(home.path);
  CHECK_FALSE(store.rotate("ak_nobody", 1h).has_value());
  const payments::wall_time now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::string soon = halves(store.create("demo", false, scope_set::all(), now + 1h)).first;
  const std::string gone = halves(store.create("demo", false, scope_set::all(), now - 1s)).first;
  const std::string revoked = halves(store.create("demo", false)).first;
  store.revoke(revoked);
  CHECK_FALSE(store.rotate("ak_nobody", 1h).has_value());
  const auto made = store.rotate(soon, 24h, now + 48h);
  REQUIRE(made.has_value());
  CHECK(made->old_expires_at == now + 1h);
  CHECK(store.list().back().expires_at == now + 48h);
  CHECK_THROWS_AS(store.rotate(gone, 24h), std::invalid_argument);
  CHECK_THROWS_AS(store.rotate(revoked, 24h), std::invalid_argument);
  CHECK(store.list().size() == 4);
}

TEST_CASE("the ring knows to the minute when a key was used, through changes of the file") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create("demo", false));
  const auto [unused, unused_secret] = halves(store.create("demo", false));
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  CHECK(ring.uses().empty());
  CHECK_FALSE(ring.authenticate(unused, unused_secret + "x", at(0ms)).has_value());
  CHECK(ring.authenticate(id, secret, at(59'999ms)).has_value());
  CHECK(ring.uses() == key_uses{{id, noon()}});
  CHECK(ring.authenticate(id, secret, at(60'000ms)).has_value());
  CHECK(ring.uses() == key_uses{{id, noon() + 1min}});
  store.revoke(id);
  ring.refresh();
  CHECK(ring.uses() == key_uses{{id, noon() + 1min}});
}

TEST_CASE("uses are written at most once an interval, and survive a restart") {
  const temporary_directory home;
  const std::filesystem::path file = home.path / "api_keys_used.json";
  const auto steady = [](std::chrono::seconds since) { return payments::steady_time(1h) + since; };
  CHECK(key_usage::read(home.path).empty());
  {
    key_usage usage(home.path);
    usage.save_if_due({}, steady(0s));
    CHECK_FALSE(std::filesystem::exists(file));
    usage.save_if_due({{"ak_a", noon()}}, steady(1s));
    CHECK(key_usage::read(home.path) == key_uses{{"ak_a", noon()}});
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const key_uses later{{"ak_a", noon() + 1min}, {"ak_b", noon()}};
    usage.save_if_due(later, steady(1s) + key_usage::interval - 1ms);
    CHECK(key_usage::read(home.path).size() == 1);
    usage.save_if_due(later, steady(1s) + key_usage::interval);
    CHECK(key_usage::read(home.path) == later);
    usage.save({{"ak_b", noon() + 2min}});
  }
  key_usage usage(home.path);  // the next start, where ak_a is not used yet
  usage.save_if_due({{"ak_b", noon() + 3min}}, steady(0s));
  CHECK(key_usage::read(home.path) == key_uses{{"ak_a", noon() + 1min}, {"ak_b", noon() + 3min}});
  std::filesystem::remove(file);
  usage.save({{"ak_b", noon() + 3min}});
  CHECK_FALSE(std::filesystem::exists(file));  // no news, no write
}

TEST_CASE("a damaged file of uses is no fault") {
  const temporary_directory home;
  for (const char* text : {"", "{", "[]", "{\"used\": 1}", "{\"used\": {\"ak_a\": \"yesterday\"}}"}) {
    INFO(text);
    write_all(home.path / "api_keys_used.json", text);
    CHECK(key_usage::read(home.path).empty());
    key_usage usage(home.path);
    usage.save({{"ak_a", noon()}});
    CHECK(key_usage::read(home.path) == key_uses{{"ak_a", noon()}});
  }
}

TEST_CASE("keys made before there were scopes have all of them") {
  const temporary_directory home;
  api_key_store store(home.path);
  const std::string hash(64, 'a');
  write_all(store.file(), R"({"version": 1, "keys": [{"id": "ak_old", "merchant": "demo", "mode": "test",
    "secret_sha256": ")" + hash +
                              R"(", "created_at": "2026-11-20T10:00:00Z", "revoked_at": null}]})");
  REQUIRE(store.list().size() == 1);
  CHECK(store.list()[0].scopes == scope_set::all());
  CHECK_FALSE(store.list()[0].expires_at.has_value());
  store.create("demo", false, scope_set().add(scope::payments_read));
  REQUIRE(store.list().size() == 2);
  CHECK(store.list()[0].scopes == scope_set::all());
}

TEST_CASE("the ring knows whose key it is") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create("demo", true));
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  CHECK(ring.size() == 1);
  const auto who = ring.authenticate(id, secret, at(0ms));
  REQUIRE(who.has_value());
  CHECK(who->merchant == "demo");
  CHECK(who->livemode);
  CHECK(who->key_id == id);
  CHECK_FALSE(ring.authenticate(id, secret + "x", at(0ms)).has_value());
  CHECK_FALSE(ring.authenticate(id, "sk_", at(0ms)).has_value());
  CHECK_FALSE(ring.authenticate("ak_nobody", secret, at(0ms)).has_value());
  CHECK_FALSE(ring.authenticate("", "", at(0ms)).has_value());
}

TEST_CASE("the ring sees each new key at once, however many wrong ones were asked before") {
  const temporary_directory home;
  api_key_store store(home.path);
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  ring.load();
  CHECK(ring.size() == 0);
  std::string id, secret;
  for (int i = 0; i < 3; ++i) {
    for (int wrong = 0; wrong < 50; ++wrong) CHECK_FALSE(ring.authenticate("ak_nobody", "sk_x", at(0ms)).has_value());
    std::tie(id, secret) = halves(store.create("demo", false));
    CHECK(ring.authenticate(id, secret, at(0ms)).has_value());
  }

  REQUIRE(store.revoke(id));
  CHECK(ring.authenticate(id, secret, at(10'000ms)).has_value());  // until the owner's timer
  ring.refresh();
  CHECK_FALSE(ring.authenticate(id, secret, at(10'001ms)).has_value());
}

TEST_CASE("a file that changes all the time is not read for every wrong key") {
  const temporary_directory home;
  api_key_store store(home.path);
  int reports = 0;
  api_key_ring ring(store.file(), [&](const std::string&) { ++reports; });
  const auto [id, secret] = halves(store.create("demo", false));
  ring.load();
  const auto damage = [&](int size) { write_all(store.file(), std::string(static_cast<std::size_t>(size), '{')); };
  int size = 0;
  for (int i = 0; i < 50; ++i) {
    damage(++size);
    CHECK_FALSE(ring.authenticate("ak_nobody", "sk_x", at(0ms)).has_value());
  }
  CHECK(reports == api_key_ring::most_reads);
  CHECK_FALSE(ring.authenticate("ak_nobody", "sk_x", at(999ms)).has_value());
  CHECK(reports == api_key_ring::most_reads);
  CHECK_FALSE(ring.authenticate("ak_nobody", "sk_x", at(1000ms)).has_value());
  CHECK(reports == api_key_ring::most_reads + 1);
  damage(++size);
  ring.refresh();  // the owner's timer is bounded by itself
  CHECK(reports == api_key_ring::most_reads + 2);
  CHECK(ring.authenticate(id, secret, at(1000ms)).has_value());
}

TEST_CASE("a start without usable keys says why; no file means no keys yet") {
  const temporary_directory home;
  api_key_store store(home.path);
  api_key_ring ring(store.file(), [](const std::string& text) { FAIL(text); });
  CHECK_NOTHROW(ring.load());
  CHECK(ring.size() == 0);
  store.create("demo", false);
  const std::string good = read_all(store.file());
  CHECK_NOTHROW(ring.load());
  CHECK(ring.size() == 1);
  using Catch::Contains;
  for (const std::string& damaged : {std::string(), std::string("{"), good.substr(0, good.size() / 2)}) {
    write_all(store.file(), damaged);
    CHECK_THROWS_WITH(ring.load(), Contains(store.file().string()) && Contains("JSON"));
  }
  write_all(store.file(), good);
  for (const auto loose : {std::filesystem::perms::group_read, std::filesystem::perms::others_read}) {
    std::filesystem::permissions(store.file(), std::filesystem::perms(0600) | loose);
    CHECK_THROWS_WITH(ring.load(), Contains(store.file().string()) && Contains("chmod 600"));
  }
  std::filesystem::permissions(store.file(), std::filesystem::perms(0600));
  CHECK_NOTHROW(ring.load());
}

TEST_CASE("permissions that are mended are noticed") {
  const temporary_directory home;
  api_key_store store(home.path);
  std::vector<std::string> reports;
  api_key_ring ring(store.file(), [&](const std::string& text) { reports.push_back(text); });
  const auto [id, secret] = halves(store.create("demo", false));
  std::filesystem::permissions(store.file(), std::filesystem::perms(0644));
  ring.refresh();
  ring.refresh();
  CHECK(reports.size() == 1);
  CHECK_FALSE(ring.authenticate(id, secret, at(0ms)).has_value());
  std::filesystem::permissions(store.file(), std::filesystem::perms(0600));
  CHECK(ring.authenticate(id, secret, at(0ms)).has_value());
  CHECK(reports.size() == 1);
}

TEST_CASE("the ring keeps the last good keys and reports once") {
  const temporary_directory home;
  api_key_store store(home.path);
  const auto [id, secret] = halves(store.create("demo", false));
  std::vector<std::string> reports;
  api_key_ring ring(store.file(), [&](const std::string& text) { reports.push_back(text); });
  ring.load();
  const std::string good = read_all(store.file());
  write_all(store.file(), good.substr(0, 30));
  ring.refresh();
  ring.refresh();
  CHECK(reports.size() == 1);
  CHECK(ring.authenticate(id, secret, at(0ms)).has_value());
  std::filesystem::remove(store.file());
  ring.refresh();
  ring.refresh();
  CHECK(reports.size() == 2);
  CHECK(ring.authenticate(id, secret, at(0ms)).has_value());
  write_all(store.file(), "{\"version\": 2, \"keys\": []}");
  ring.refresh();
  CHECK(reports.size() == 2);
  CHECK_FALSE(ring.authenticate(id, secret, at(0ms)).has_value());
}

net::headers authorization(std::string value) { return {{"authorization", std::move(value)}}; }

TEST_CASE("credentials come as Bearer or Basic") {
  // base64("ak_demo:sk_secret")
  const std::string basic = "YWtfZGVtbzpza19zZWNyZXQ=";
  for (const std::string& value : {std::string("Bearer ak_demo:sk_secret"), std::string("bearer  ak_demo:sk_secret "),
                                   "Basic " + basic, "BASIC " + basic}) {
    INFO(value);
    const auto read = read_credentials(authorization(value));
    REQUIRE(read.has_value());
    CHECK(read->id == "ak_demo");
    CHECK(read->secret.reveal() == "sk_secret");
  }
  for (const std::string& value :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer ak_demo"),
        std::string("Bearer sk_secret:ak_demo"), std::string("ak_demo:sk_secret"),
        std::string("Basic ak_demo:sk_secret"), std::string("Basic YWtfZGVtbzpza19zZWNyZXQ"),
        std::string("Basic YWtfZGVtbzpza19zZWNyZXR="), std::string("Digest x"),
        "Bearer ak_demo:sk_" + std::string(300, 'x'), "Basic " + std::string(4000, 'A')}) {
    INFO(value);
    CHECK_FALSE(read_credentials(authorization(value)).has_value());
  }
  CHECK_FALSE(read_credentials({}).has_value());
  CHECK_FALSE(
      read_credentials({{"Authorization", "Bearer ak_demo:sk_secret"}, {"Authorization", "Bearer ak_demo:sk_secret"}}));
}

TEST_CASE("base 64 is read strictly") {
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zm8=") == "fo");
  CHECK(decode_base64("Zm9v") == "foo");
  CHECK(decode_base64("/+8=") == "\xff\xef");
  for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v=", "Z===", "====", "Zm 9", "Zm9_", "=m9v"}) {
    INFO(bad);
    CHECK_FALSE(decode_base64(bad).has_value());
  }
}

}  // namespace
}  // namespace turnout::api
