// The keys directory: made once, private, and bound to its journal.
#include <stdlib.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "proxy/server/secret_keys.hpp"

namespace fs = std::filesystem;
using turnout::server::journal_binding;
using turnout::server::keys_error;
using turnout::server::secret_keys;

namespace {

struct place {
  fs::path root, keys;
  place() {
    std::string name = (fs::temp_directory_path() / "turnout-keys-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    root = name;
    keys = root / "var" / "keys";
  }
  place(const place&) = delete;
  ~place() { fs::remove_all(root); }
  journal_binding unused() const { return {"/x/journal.db", std::nullopt, false}; }
  journal_binding bound_to(const secret_keys& keys_of_journal) const {
    return {"/x/journal.db", keys_of_journal.identity(), true};
  }
};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("HMAC-SHA256 gives the published values (RFC 4231)") {
  using turnout::server::hmac_sha256_hex;
  CHECK(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("the first start makes three private keys, the next one finds them") {
  place in;
  const secret_keys made = secret_keys::open(in.keys, in.unused());
  CHECK(mode_of(in.keys) == 0700);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(in.keys)) {
    ++files;
    CHECK(mode_of(entry.path()) == 0600);
    CHECK(fs::file_size(entry.path()) == 32);
  }
  CHECK(files == 3);
  CHECK(made.request_key().size() == 32);
  CHECK(made.request_key() != made.card_key());
  CHECK(made.identity().size() == 64);
  const secret_keys found = secret_keys::open(in.keys.string() + "/", in.bound_to(made));
  CHECK(found.request_key() == made.request_key());
  CHECK(found.card_key() == made.card_key());
  CHECK(found.identity() == made.identity());
  place other;
  CHECK(secret_keys::open(other.keys, other.unused()).identity() != made.identity());
}

TEST_CASE("a journal in use never gets new keys") {
  place in;
  const secret_keys made = secret_keys::open(in.keys, in.unused());
  SECTION("the directory is gone") {
    fs::remove_all(in.keys);
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.bound_to(made)),
                      Catch::Contains("/x/journal.db") && Catch::Contains("restore"));
    CHECK_FALSE(fs::exists(in.keys));
    // A journal that holds payments is in use even if nothing bound it yet.
    CHECK_THROWS_AS(secret_keys::open(in.keys, {"/x/journal.db", std::nullopt, true}), keys_error);
    CHECK_FALSE(fs::exists(in.keys));
  }
  SECTION("one key is gone") {
    for (const char* name : {"request-mac.key", "card-fingerprint.key", "journal-identity.key"}) {
      fs::rename(in.keys / name, in.root / "aside");
      CHECK_THROWS_WITH(secret_keys::open(in.keys, in.bound_to(made)), Catch::Contains(name));
      CHECK_FALSE(fs::exists(in.keys / name));
      fs::rename(in.root / "aside", in.keys / name);
    }
  }
  SECTION("one key is another one") {
    for (const char* name : {"request-mac.key", "card-fingerprint.key", "journal-identity.key"}) {
      fs::copy_file(in.keys / name, in.root / "aside");
      std::ofstream(in.keys / name) << std::string(32, 'k');
      CHECK_THROWS_WITH(secret_keys::open(in.keys, in.bound_to(made)),
                        Catch::Contains("not the keys that the journal"));
      fs::rename(in.root / "aside", in.keys / name);
    }
    CHECK_NOTHROW(secret_keys::open(in.keys, in.bound_to(made)));
  }
}

TEST_CASE("a crash while the keys were made is mended by the next start") {
  place in;
  const secret_keys made = secret_keys::open(in.keys, in.unused());
  fs::remove(in.keys / "card-fingerprint.key");
  std::ofstream(in.keys / "card-fingerprint.key.new") << "half";
  const secret_keys mended = secret_keys::open(in.keys, in.unused());
  CHECK(mended.request_key() == made.request_key());
  CHECK(mended.card_key() != made.card_key());
  CHECK_FALSE(fs::exists(in.keys / "card-fingerprint.key.new"));
}

TEST_CASE("keys that others can read, or that are not keys, are refused with how to mend it") {
  place in;
  secret_keys::open(in.keys, in.unused());
  const fs::path key = in.keys / "request-mac.key";
  SECTION("a readable file") {
    ::chmod(key.c_str(), 0640);
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.unused()), Catch::EndsWith("run: chmod 600 " + key.string()));
  }
  SECTION("a readable directory") {
    ::chmod(in.keys.c_str(), 0755);
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.unused()), Catch::EndsWith("run: chmod 700 " + in.keys.string()));
  }
  SECTION("a short key") {
    fs::resize_file(key, 31);
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.unused()), Catch::Contains("exactly 32 bytes"));
  }
  SECTION("a long key") {
    fs::resize_file(key, 33);
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.unused()), Catch::Contains("exactly 32 bytes"));
  }
  SECTION("a link") {
    fs::rename(key, in.root / "aside");
    fs::create_symlink(in.root / "aside", key);
    CHECK_THROWS_AS(secret_keys::open(in.keys, in.unused()), keys_error);
  }
  SECTION("a file where the directory should be") {
    fs::remove_all(in.keys);
    std::ofstream(in.keys) << "x";
    CHECK_THROWS_WITH(secret_keys::open(in.keys, in.unused()), Catch::Contains("not a directory"));
  }
}
