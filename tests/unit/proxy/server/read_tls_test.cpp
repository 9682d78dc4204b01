// Certificates and keys that turnout.yaml names: every mistake has its
// position, and names the file.
#include "proxy/server/read_tls.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "proxy/server/settings_file.hpp"
#include "scratch_directory.hpp"
#include "tests/unit/net/authority.hpp"

using namespace turnout;
using Catch::Contains;

namespace {

/// turnout.yaml, and a good certificate and key beside it.
struct conf {
  scratch_directory directory;

  conf() {
    const identity who = trusted().issue();
    directory.write("tls/cert.pem", who.certificate);
    secret("tls/key.pem", who.key);
    directory.write("tls/ca.pem", trusted().pem());
  }
  void secret(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    directory.write(name, text);
    ::chmod((directory / name).c_str(), mode);
  }
  server::loaded_files load(const std::string& listener) const {
    directory.write(
        "turnout.yaml",
        "version: 1\njournal: {path: j}\nkeys: k\nconnectors: c/*.yaml\npolicies: p/*.yaml\n" + listener + "\n");
    return server::load_files(directory.path(), server::system_secrets());
  }
  /// What is said about the line with the listener, the directory left out.
  std::string said(const std::string& tls) const {
    std::string text;
    for (const settings::problem& each : load("listen: {tls: {" + tls + "}}").problems)
      if (each.line == 6) text += each.to_string() + "\n";
    for (std::size_t at = 0; (at = text.find(directory.path() + "/")) != std::string::npos;)
      text.erase(at, directory.path().size() + 1);
    return text;
  }
};

const std::string good = "certificate: tls/cert.pem, key: tls/key.pem";

}  // namespace

TEST_CASE("a listener's certificate is read, relative to the file") {
  const conf files;
  CHECK(files.said(good).empty());
  CHECK(files.load("listen: {tls: {" + good + "}}").settings.listen.tls);
  CHECK(files.load("admin: {tls: {" + good + "}}").settings.admin.tls);
  CHECK_FALSE(files.load("admin: {tls: {" + good + "}}").settings.listen.tls);
  CHECK(files.said(good + ", minimum_version: \"1.3\"").empty());
  CHECK(files.said(good + ", minimum_version: 1.2").empty());
  CHECK(files.said(good + ", client_ca: tls/ca.pem").empty());
  CHECK(files.said(good + ", client_ca: tls/ca.pem, client_certificates: optional").empty());
  const std::string absolute = "certificate: " + (files.directory / "tls/cert.pem") + ", key: tls/key.pem";
  CHECK(files.said(absolute).empty());
}

TEST_CASE("commands that only look for a path open no key") {
  const conf files;
  files.load("listen: {tls: {certificate: tls/cert.pem, key: nowhere.pem}}");
  const auto loaded = server::load_settings(files.directory.path(), server::system_secrets());
  CHECK(loaded.problems.empty());
}

TEST_CASE("a listener's mistakes") {
  const conf files;
  CHECK_THAT(files.said("certificate: tls/cert.pem"), Contains("'key'"));
  CHECK(files.said("certificate: tls/gone.pem, key: tls/key.pem") ==
        "turnout.yaml:6:29: error: 'certificate': tls/gone.pem: No such file or directory\n");
  CHECK(files.said("certificate: tls/cert.pem, key: tls") ==
        "turnout.yaml:6:48: error: 'key': tls: is not a regular file\n");
  CHECK_THAT(files.said(good + ", client_ca: tls/gone.pem"), Contains("'client_ca': tls/gone.pem: No such file"));
  CHECK_THAT(files.said(good + ", client_certificates: required"), Contains("needs 'client_ca'"));
  CHECK_THAT(files.said(good + ", client_ca: tls/ca.pem, client_certificates: none"), Contains("means nothing"));
  CHECK_THAT(files.said(good + ", minimum_version: 1.1"), Contains("'minimum_version'"));
  CHECK_THAT(files.said(good + ", cipher: x"), Contains("cipher"));
  files.secret("tls/other.pem", trusted().issue().key);
  CHECK(files.said("certificate: tls/cert.pem, key: tls/other.pem") ==
        "turnout.yaml:6:48: error: 'key': tls/other.pem does not belong to the certificate in tls/cert.pem\n");
  CHECK_THAT(files.said("certificate: tls/key.pem, key: tls/key.pem"), Contains("tls/key.pem holds no certificate"));
  files.secret("tls/not.pem", "nothing");
  CHECK_THAT(files.said("certificate: tls/cert.pem, key: tls/not.pem"), Contains("tls/not.pem holds no private key"));
}

TEST_CASE("a key that others may use is refused") {
  const conf files;
  for (const mode_t mode : {0644, 0666, 0620, 0604}) {
    files.secret("tls/open.pem", trusted().issue().key, mode);
    CHECK(files.said("certificate: tls/cert.pem, key: tls/open.pem") ==
          "turnout.yaml:6:48: error: 'key': tls/open.pem: others than its owner may use it; chmod 600 it\n");
  }
}

TEST_CASE("a certificate that has ended, or soon does, is warned of") {
  const conf files;
  const auto with_end = [&](int days) {
    const identity who = trusted().issue("DNS:localhost", -9, days);
    files.directory.write("tls/ending.pem", who.certificate);
    files.secret("tls/ending.key", who.key);
    return files.said("certificate: tls/ending.pem, key: tls/ending.key");
  };
  CHECK_THAT(with_end(-1), Contains("warning: 'certificate': tls/ending.pem ended on"));
  CHECK_THAT(with_end(5), Contains("warning: 'certificate': tls/ending.pem ends on"));
  CHECK(with_end(30).empty());
}

TEST_CASE("what a connector says about TLS") {
  const conf files;
  std::filesystem::create_directory(files.directory / "c");
  files.load("");  // writes turnout.yaml
  const identity ours = trusted().issue("DNS:proxy.example");
  files.directory.write("tls/ours.pem", ours.certificate);
  files.secret("tls/ours.key", ours.key);
  std::ifstream shipped(std::string(TURNOUT_SOURCE_DIR) + "/conf/connectors/alpha.yaml");
  const std::string text((std::istreambuf_iterator<char>(shipped)), std::istreambuf_iterator<char>());
  const auto said = [&](const std::string& tls) {
    files.directory.write("c/a.yaml", "tls: {" + tls + "}\n" + text);
    auto secrets = server::system_secrets();
    secrets.variable = [](std::string_view name) {
      return std::optional<std::string>(name.ends_with("_URL") ? "https://gateway.example" : "secret");
    };
    std::string found;
    for (const settings::problem& each : server::load_files(files.directory.path(), secrets).problems)
      if (each.file.ends_with("a.yaml")) found += each.to_string() + "\n";
    for (std::size_t at = 0; (at = found.find(files.directory.path() + "/")) != std::string::npos;)
      found.erase(at, files.directory.path().size() + 1);
    return found;
  };
  CHECK(said("").empty());
  CHECK(said("ca: ../tls/ca.pem, pin: " + ours.pin + ", minimum_version: 1.3").empty());
  CHECK(said("client_certificate: ../tls/ours.pem, client_key: ../tls/ours.key").empty());
  CHECK(said("pin: [" + ours.pin + ", sha256/x]") ==
        "c/a.yaml:1:12: error: 'pin' must be sha256/ and the 44 characters of 32 bytes in base64\n");
  CHECK_THAT(said("ca: ../tls/gone.pem"),
             Contains("c/a.yaml:1:11: error: 'ca': cannot read the file c/../tls/gone.pem"));
  CHECK(said("ca: ../tls/ours.key") ==
        "c/a.yaml:1:11: error: 'ca': tls/ours.key holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)\n");
  CHECK_THAT(said("client_certificate: ../tls/ours.pem, client_key: ../tls/key.pem"),
             Contains("'client_key': tls/key.pem does not belong to the certificate in tls/ours.pem"));
  ::chmod((files.directory / "tls/ours.key").c_str(), 0644);
  CHECK_THAT(said("client_certificate: ../tls/ours.pem, client_key: ../tls/ours.key"),
             Contains("'client_key': tls/ours.key: others than its owner may use it; chmod 600 it"));
}
