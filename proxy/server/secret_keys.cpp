// Each key is written to a temporary file, synced, and renamed into place; the
// directory is synced last. A crash in between leaves some keys missing, which
// the next start fills in, since the journal was not bound to them yet.
#include "proxy/server/secret_keys.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace turnout::server {

namespace {

namespace fs = std::filesystem;
using payments::secret_string;

constexpr std::size_t key_size = 32;
constexpr std::array<const char*, 3> key_names{"request-mac.key", "card-fingerprint.key", "journal-identity.key"};

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const fs::path& path, std::string_view what) {
  throw keys_error("keys: " + path.string() + ": " + std::string(what));
}

class open_file {
 public:
  open_file(const fs::path& path, int flags, mode_t mode = 0)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

void sync_directory(const fs::path& directory) {
  open_file opened(directory, O_RDONLY | O_DIRECTORY);
  if (!opened.is_open() || ::fsync(opened.number()) != 0) fail(directory, "cannot sync: " + reason(errno));
}

void check_mode(const fs::path& path, const struct stat& status, const char* wanted) {
  if ((status.st_mode & 077) != 0)
    fail(path, std::string("readable by others than its user; run: chmod ") + wanted + " " + path.string());
  if (status.st_uid != ::geteuid()) fail(path, "belongs to another user than the one turnout runs as");
}

/// nullopt when there is no such file.
std::optional<secret_string> load_key(const fs::path& path) {
  open_file file(path, O_RDONLY | O_NOFOLLOW);
  if (!file.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    fail(path, "cannot read: " + reason(errno));
  }
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail(path, "cannot read: " + reason(errno));
  if (!S_ISREG(status.st_mode)) fail(path, "not a regular file");
  check_mode(path, status, "600");
  std::string bytes(key_size + 1, '\0');
  const ssize_t size = ::read(file.number(), bytes.data(), bytes.size());
  const int error = errno;
  if (size != static_cast<ssize_t>(key_size)) {
    payments::secure_wipe(bytes.data(), bytes.size());
    fail(path, size < 0 ? "cannot read: " + reason(error)
                        : "damaged: it must hold exactly 32 bytes; restore it from a backup");
  }
  bytes.resize(key_size);
  return secret_string(std::move(bytes));
}

secret_string make_key(const fs::path& path) {
  std::string bytes(key_size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(key_size)) != 1)
    fail(path, "no random bytes from OpenSSL");
  secret_string key(std::move(bytes));
  const fs::path temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  open_file file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file.is_open()) fail(path, "cannot write: " + reason(errno));
  const std::string_view text = key.reveal();
  if (::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.number()) != 0)
    fail(path, "cannot write: " + reason(errno));
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "cannot write: " + reason(errno));
  return key;
}

/// True when the directory exists, and is private.
bool check_directory(const fs::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    if (errno == ENOENT) return false;
    fail(directory, "cannot read: " + reason(errno));
  }
  if (!S_ISDIR(status.st_mode)) fail(directory, "not a directory");
  check_mode(directory, status, "700");
  return true;
}

void make_directory(const fs::path& directory) {
  std::error_code failed;
  const fs::path parent = fs::absolute(directory).parent_path();
  fs::create_directories(parent, failed);
  if (failed) fail(directory, "cannot create: " + failed.message());
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail(directory, "cannot create: " + reason(errno));
  sync_directory(parent);
}

}  // namespace

secret_keys secret_keys::open(const fs::path& given, const journal_binding& journal) {
  // A trailing slash would hide the directory's name from parent_path().
  const fs::path directory = given.has_filename() ? given : given.parent_path();
  const bool used = journal.identity || journal.has_payments;
  const bool exists = check_directory(directory);
  std::array<std::optional<secret_string>, 3> keys;
  bool made = false;
  if (exists)
    for (std::size_t at = 0; at < keys.size(); ++at) keys[at] = load_key(directory / key_names[at]);
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (keys[at]) continue;
    const fs::path path = directory / key_names[at];
    if (used)
      fail(path, "missing, and the journal " + journal.path +
                     " was written with it; restore the keys directory from its backup (new keys are never made for "
                     "a journal that is in use)");
    if (!made && !exists) make_directory(directory);
    keys[at] = make_key(path);
    made = true;
  }
  if (made) sync_directory(directory);
  secret_keys result(std::move(*keys[0]), std::move(*keys[1]), std::move(*keys[2]));
  if (journal.identity && *journal.identity != result.identity())
    fail(directory, "these are not the keys that the journal " + journal.path +
                        " was written with; restore the right keys directory, or name the right journal");
  return result;
}

bool secret_keys::exist(const fs::path& directory) noexcept {
  std::error_code unreadable;
  return fs::exists(directory / key_names.back(), unreadable);
}

std::string secret_keys::identity() const {
  // Over all three, so that exchanging any one of them is noticed.
  secret_string both(std::string(request_.reveal()) + std::string(card_.reveal()));
  return hmac_sha256_hex(journal_.reveal(), hmac_sha256_hex(both.reveal(), "turnout journal identity v1"));
}

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size))
    throw std::runtime_error("OpenSSL: HMAC-SHA256 failed");
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * size);
  for (unsigned at = 0; at < size; ++at) {
    hex += digits[digest[at] >> 4];
    hex += digits[digest[at] & 15];
  }
  return hex;
}

}  // namespace turnout::server
