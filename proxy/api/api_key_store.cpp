#include "proxy/api/api_key_store.hpp"

#include <chrono>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <boost/json.hpp>

#include "proxy/api/json_text.hpp"
#include "proxy/api/keyed_mac.hpp"
#include "proxy/api/private_file.hpp"
#include "proxy/api/rfc3339.hpp"

namespace turnout::api {

namespace {

namespace json = boost::json;
/// Version 1 knew neither scopes nor expiry. Whoever does not know them would
/// let a key do more, and longer: hence another number, which it refuses.
constexpr std::int64_t format_version = 2;

std::string random_text(std::string_view prefix, std::size_t characters) {
  constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // 32: five bits a character
  std::vector<unsigned char> bytes(characters);
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("the system has no random bytes to make a key from");
  std::string text(prefix);
  for (const unsigned char byte : bytes) text.push_back(alphabet[byte & 31]);
  return text;
}

std::string timestamp() {
  std::string quoted;
  append_time(quoted, std::chrono::system_clock::now());
  return quoted.substr(1, quoted.size() - 2);
}

std::string render(const std::vector<api_key>& keys) {
  std::string text = "{\"version\": " + std::to_string(format_version) + ", \"keys\": [";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    text.append(i == 0 ? "\n  {\"id\": " : ",\n  {\"id\": ");
    append_string(text, keys[i].id);
    text.append(", \"merchant\": ");
    append_string(text, keys[i].merchant);
    text.append(", \"mode\": ").append(keys[i].livemode ? "\"live\"" : "\"test\"");
    text.append(", \"secret_sha256\": ");
    append_string(text, to_hex(keys[i].hash));
    text.append(", \"created_at\": ");
    append_string(text, keys[i].created_at);
    text.append(", \"revoked_at\": ");
    append_string_or_null(text, keys[i].revoked_at);
    text.append(", \"expires_at\": ");
    if (keys[i].expires_at)
      append_time(text, *keys[i].expires_at);
    else
      text.append("null");
    text.append(", \"scopes\": [");
    for (const scope each : every_scope) {
      if (!keys[i].scopes.has(each)) continue;
      if (text.back() != '[') text.append(", ");
      append_string(text, name_of(each));
    }
    text.push_back(']');
    text.push_back('}');
  }
  return text.append("\n]}\n");
}

secret_hash parse_hash(std::string_view hex) {
  secret_hash hash{};
  const auto digit = [](char c) -> int {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (hex.size() != hash.size() * 2) throw std::runtime_error("a hash has the wrong length");
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) throw std::runtime_error("a hash is not hexadecimal");
    hash[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return hash;
}

scope_set parse_scopes(const json::value* list) {
  if (!list || !list->is_array()) throw std::runtime_error("a key has no scopes");
  scope_set scopes;
  for (const json::value& each : list->get_array()) {
    const std::optional<scope> known =
        each.is_string() ? find_scope({each.get_string().data(), each.get_string().size()}) : std::nullopt;
    if (!known) throw std::runtime_error("a key has an unknown scope");
    scopes.add(*known);
  }
  return scopes;
}

api_key parse_key(const json::object& from, std::int64_t version) {
  const auto text = [&](const char* name) {
    const json::value* value = from.if_contains(name);
    if (!value || !value->is_string()) throw std::runtime_error(std::string("a key has no ") + name);
    return std::string(value->get_string().begin(), value->get_string().end());
  };
  api_key key;
  key.id = text("id");
  key.merchant = text("merchant");
  const std::string mode = text("mode");
  if (mode != "live" && mode != "test") throw std::runtime_error("a key has an unknown mode");
  key.livemode = mode == "live";
  key.hash = parse_hash(text("secret_sha256"));
  key.created_at = text("created_at");
  // Absent would read as "good": a damaged line must not bring a key back.
  const json::value* revoked = from.if_contains("revoked_at");
  if (!revoked) throw std::runtime_error("a key has no revoked_at");
  if (!revoked->is_null()) key.revoked_at = text("revoked_at");
  if (version == 1) {
    key.scopes = scope_set::all();
  } else {
    key.scopes = parse_scopes(from.if_contains("scopes"));
    const json::value* expires = from.if_contains("expires_at");
    if (!expires) throw std::runtime_error("a key has no expires_at");
    if (!expires->is_null()) {
      key.expires_at = parse_rfc3339(text("expires_at"));
      if (!key.expires_at) throw std::runtime_error("a key's expires_at is not like 2026-11-20T10:00:00Z");
    }
  }
  if (!key.id.starts_with("ak_") || !is_merchant_name(key.merchant))
    throw std::runtime_error("a key has a malformed id or merchant");
  return key;
}

/// Appends a new key; what is shown of it is returned.
std::string add_key(std::vector<api_key>& keys, std::string merchant, bool livemode, scope_set scopes,
                    std::optional<payments::wall_time> expires_at) {
  const std::string secret = random_text("sk_", 52);
  keys.push_back({.id = random_text("ak_", 20),
                  .merchant = std::move(merchant),
                  .livemode = livemode,
                  .scopes = scopes,
                  .created_at = timestamp(),
                  .revoked_at = {},
                  .expires_at = expires_at,
                  .hash = hash_secret(secret)});
  return keys.back().id + ":" + secret;
}

}  // namespace

secret_hash hash_secret(std::string_view secret) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetched once: it is slow
  secret_hash hash;
  unsigned size = 0;
  if (!sha256 || EVP_Digest(secret.data(), secret.size(), hash.data(), &size, sha256, nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available in this OpenSSL");
  return hash;
}

bool is_merchant_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 40) return false;
  for (const char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
  return true;
}

std::vector<api_key> parse_api_keys(std::string_view text) {
  json::error_code ec;
  const json::value root = json::parse({text.data(), text.size()}, ec);
  if (ec || !root.is_object()) throw std::runtime_error("it is not a JSON object");
  const json::value* version = root.get_object().if_contains("version");
  if (!version || !version->is_int64() || version->get_int64() < 1 || version->get_int64() > format_version)
    throw std::runtime_error("its version is not 1 or 2");
  const json::value* list = root.get_object().if_contains("keys");
  if (!list || !list->is_array()) throw std::runtime_error("it has no list of keys");
  std::vector<api_key> keys;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) throw std::runtime_error("a key is not an object");
    keys.push_back(parse_key(each.get_object(), version->get_int64()));
  }
  return keys;
}

api_key_store::api_key_store(std::filesystem::path directory)
    : directory_(std::move(directory)), file_(directory_ / "api_keys.json") {}

std::vector<api_key> api_key_store::list() const {
  const std::optional<std::string> text = read_private_file(file_);
  if (!text) return {};
  try {
    return parse_api_keys(*text);
  } catch (const std::exception& error) {
    throw std::runtime_error("the API keys in " + file_.string() + " cannot be read: " + error.what());
  }
}

std::string api_key_store::create(std::string_view merchant, bool livemode, scope_set scopes,
                                  std::optional<payments::wall_time> expires_at) {
  if (!is_merchant_name(merchant))
    throw std::invalid_argument("a merchant's name is 1 to 40 of the characters a-z, 0-9, _ and -");
  if (scopes.empty()) throw std::invalid_argument("a key without scopes is good for nothing");
  make_private_directory(directory_);
  const file_lock lock(lock_file());
  std::vector<api_key> keys = list();
  std::string shown = add_key(keys, std::string(merchant), livemode, scopes, expires_at);
  replace_private_file(file_, render(keys));
  return shown;
}

std::optional<key_rotation> api_key_store::rotate(std::string_view id, std::chrono::seconds overlap,
                                                  std::optional<payments::wall_time> expires_at) {
  if (!std::filesystem::exists(file_)) return std::nullopt;
  const file_lock lock(lock_file());
  std::vector<api_key> keys = list();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].id != id) continue;
    const payments::wall_time now = std::chrono::system_clock::now();
    if (keys[i].revoked()) throw std::invalid_argument("a revoked key cannot be rotated; make a new one");
    if (keys[i].expired(now)) throw std::invalid_argument("the key has expired; make a new one");
    // Whole seconds, as the file keeps it: what is told is what holds.
    const payments::wall_time ends = std::chrono::floor<std::chrono::seconds>(now + overlap);
    if (!keys[i].expires_at || *keys[i].expires_at > ends) keys[i].expires_at = ends;
    key_rotation made{.key = {}, .old_expires_at = *keys[i].expires_at};
    made.key = add_key(keys, keys[i].merchant, keys[i].livemode, keys[i].scopes, expires_at);
    replace_private_file(file_, render(keys));
    return made;
  }
  return std::nullopt;
}

bool api_key_store::revoke(std::string_view id) {
  if (!std::filesystem::exists(file_)) return false;
  const file_lock lock(lock_file());
  std::vector<api_key> keys = list();
  for (api_key& each : keys) {
    if (each.id != id) continue;
    if (each.revoked()) return true;
    each.revoked_at = timestamp();
    replace_private_file(file_, render(keys));
    return true;
  }
  return false;
}

}  // namespace turnout::api
