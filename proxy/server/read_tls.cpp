// See read_tls.hpp.
#include "proxy/server/read_tls.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

namespace turnout::server {

namespace {

using namespace std::chrono_literals;
using turnout::settings::fields;
using turnout::settings::value;
namespace fs = std::filesystem;

/// A bundle of many authorities is a quarter of it.
constexpr std::size_t max_pem_bytes = 1024 * 1024;
/// Who renews by hand wants to know.
constexpr auto ends_soon = 14 * 24h;

enum class content : std::uint8_t { open, secret };

class open_file {
 public:
  explicit open_file(const std::string& path) : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~open_file() {
    if (number_ >= 0) ::close(number_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// A key may be the group's to read where root owns it: how packages and
/// orchestrators hand keys to a service. Anybody else's access is a mistake.
bool is_private(const struct stat& status) noexcept {
  const mode_t others = status.st_mode & (S_IRWXG | S_IRWXO);
  return others == 0 || (others == S_IRGRP && status.st_uid == 0 && ::geteuid() != 0);
}

/// What is wrong with the file; empty when `text` has it.
std::string read_whole(const std::string& path, content kind, std::string& text) {
  const open_file file(path);
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "is not a regular file";
  if (kind == content::secret && !is_private(status)) return "others than its owner may use it; chmod 600 it";
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_pem_bytes) return "is larger than 1 MiB";
  text.resize(size);
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(file.number(), text.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::strerror(errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return {};
}

/// As it stands in `named_in`, from where this process is.
std::string path_of(const std::string& name, const std::string& named_in) {
  return (fs::path(named_in).parent_path() / name).lexically_normal().string();
}

/// A file that a value names, as text; reported when it cannot be read.
struct named_file {
  std::string path, text;
  bool good = true;

  named_file(const value& name, const std::string& named_in, content kind) {
    const auto given = name.text();
    if (!given) {
      good = !name.present();
      return;
    }
    path = path_of(*given, named_in);
    const std::string failure = read_whole(path, kind, text);
    if (failure.empty()) return;
    good = false;
    name.error("'" + name.name() + "': " + path + ": " + failure);
  }
  ~named_file() { OPENSSL_cleanse(text.data(), text.size()); }
  named_file(const named_file&) = delete;
  named_file& operator=(const named_file&) = delete;
};

std::string date_of(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

void warn_of_end(const value& certificate, const std::string& path, std::chrono::system_clock::time_point end) {
  const auto left = end - std::chrono::system_clock::now();
  if (left >= ends_soon) return;
  certificate.warning("'certificate': " + path + (left < 0s ? " ended on " : " ends on ") + date_of(end) +
                      (left < 0s ? ": clients refuse it" : ""));
}

std::optional<net::tls_version> read_version(const value& given) {
  return given.choice<net::tls_version>({{"1.2", net::tls_version::tls_1_2}, {"1.3", net::tls_version::tls_1_3}});
}

}  // namespace

std::shared_ptr<const net::server_tls_context> read_listener_tls(const value& tls, const std::string& file,
                                                                 bool open_files) {
  if (!tls) return nullptr;
  using net::client_certificates;
  const fields keys(tls, {"certificate", "key", "client_ca", "client_certificates", "minimum_version"});
  const value certificate = keys.required("certificate"), key = keys.required("key"), ca = keys.optional("client_ca");
  const value clients = keys.optional("client_certificates");
  net::server_tls wanted;
  wanted.minimum_version = read_version(keys.optional("minimum_version")).value_or(net::tls_version::tls_1_2);
  wanted.clients = clients
                       .choice<client_certificates>({{"none", client_certificates::none},
                                                     {"optional", client_certificates::optional},
                                                     {"required", client_certificates::required}})
                       .value_or(ca ? client_certificates::required : client_certificates::none);
  if ((wanted.clients == client_certificates::none) == ca.present()) {
    const value& odd = ca ? ca : clients;
    odd.error(ca ? "'client_ca' means nothing with 'client_certificates: none'"
                 : "'client_certificates' needs 'client_ca': a file with the certificates of who issues them");
    return nullptr;
  }
  if (!open_files || !certificate || !key) return nullptr;
  named_file chain(certificate, file, content::open), secret(key, file, content::secret),
      issuers(ca, file, content::open);
  if (!chain.good || !secret.good || !issuers.good) return nullptr;
  wanted.certificate = chain.text;
  wanted.key.swap(secret.text);
  wanted.client_ca = issuers.text;
  std::shared_ptr<const net::server_tls_context> made;
  try {
    made = net::make_server_tls(wanted);
    warn_of_end(certificate, chain.path, net::expiry(*made));
  } catch (const net::tls_error& wrong) {
    using part_of = net::tls_error::part_of;
    const bool of_pair = wrong.part == part_of::pair, of_key = of_pair || wrong.part == part_of::key;
    const bool of_ca = wrong.part == part_of::ca;
    const value& where = of_key ? key : of_ca ? ca : certificate;
    const std::string& path = of_key ? secret.path : of_ca ? issuers.path : chain.path;
    where.error("'" + where.name() + "': " + path + " " + wrong.what() + (of_pair ? " in " + chain.path : ""));
  }
  OPENSSL_cleanse(wanted.key.data(), wanted.key.size());
  return made;
}

net::client_tls to_wire(const connectors::gateway_tls& from) {
  net::client_tls made;
  made.ca = from.ca;
  made.pins = from.pins;
  made.certificate = from.certificate;
  made.key = from.key;
  if (from.only_1_3) made.minimum_version = net::tls_version::tls_1_3;
  return made;
}

void check_gateway_tls(const value& tls, const std::string& file, const connectors::gateway_tls& loaded) {
  const fields keys(tls, {"ca", "pin", "minimum_version", "client_certificate", "client_key"});
  const value ca = keys.optional("ca"), pin = keys.optional("pin");
  const value certificate = keys.optional("client_certificate"), key = keys.optional("client_key");
  // Read already; this is about who else may.
  if (key) const named_file looked_at(key, file, content::secret);
  try {
    net::check_client_tls(to_wire(loaded));
  } catch (const net::tls_error& wrong) {
    using part_of = net::tls_error::part_of;
    if (wrong.part == part_of::pin) return pin.error(std::string("'pin' ") + wrong.what());
    const bool of_pair = wrong.part == part_of::pair, of_key = of_pair || wrong.part == part_of::key;
    const value& where = of_key ? key : wrong.part == part_of::ca ? ca : certificate;
    std::string text = "'" + where.name() + "': " + path_of(where.text().value_or(""), file) + " " + wrong.what();
    if (of_pair) text += " in " + path_of(certificate.text().value_or(""), file);
    where.error(text);
  }
}

}  // namespace turnout::server
