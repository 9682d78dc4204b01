#include "connectors/tls_loader.hpp"

namespace turnout::connectors {
namespace {

/// The text of the file that `name` names, relative to `file`; empty when it is absent or reported.
std::string read_named(const settings::value& name, const settings::document& file) {
  const auto given = name.text();
  if (!given) return {};
  const std::size_t slash = file.file.rfind('/');
  const bool beside = !given->starts_with('/') && slash != std::string::npos;
  const std::string path = beside ? file.file.substr(0, slash + 1) + *given : *given;
  auto text = file.secrets.file ? file.secrets.file(path) : std::nullopt;
  if (!text)
    name.error("'" + name.name() + "': cannot read the file " + path);
  else if (text->empty())
    name.error("'" + name.name() + "': the file " + path + " is empty");
  return std::move(text).value_or("");
}

}  // namespace

std::shared_ptr<const gateway_tls> load_tls(const settings::value& in, const settings::document& file) {
  if (!in) return nullptr;
  const settings::fields block(in, {"ca", "pin", "minimum_version", "client_certificate", "client_key"});
  auto made = std::make_shared<gateway_tls>();
  made->ca = read_named(block.optional("ca"), file);
  for (const settings::value& each : block.optional("pin").one_or_more())
    if (auto pin = each.text()) made->pins.push_back(std::move(*pin));
  if (block.has("pin") && made->pins.empty()) block.optional("pin").error("'pin' must name at least one key");
  made->only_1_3 = block.optional("minimum_version").choice<bool>({{"1.2", false}, {"1.3", true}}).value_or(false);
  const settings::value certificate = block.optional("client_certificate"), key = block.optional("client_key");
  if (certificate.present() != key.present())
    (certificate ? certificate : key).error("'client_certificate' and 'client_key' need each other");
  made->certificate = read_named(certificate, file);
  made->key = read_named(key, file);
  return made;
}

}  // namespace turnout::connectors
