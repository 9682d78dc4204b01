#include "proxy/server/explaining.hpp"

#include <algorithm>

#include "proxy/core/explanation.hpp"
#include "proxy/server/explanation_text.hpp"
#include "proxy/server/routing_state.hpp"

namespace turnout::server {

std::string explain_now(const core::configuration& config, const api::explain_request& asked, routing::router& copy,
                        const explanation_source& source, payments::instant now) {
  return explanation_text(core::explain(config, asked.wish, asked.card, copy, now), config, source, now.wall);
}

std::variant<std::string, api::problem> explain_from_files(const loaded_files& files, std::string_view query,
                                                           std::string_view body, std::string& note,
                                                           payments::instant now) {
  const core::configuration& config = *files.configuration;
  auto asked = api::read_explain_request(query, body, merchants_of(config), now.wall);
  if (auto* refused = std::get_if<api::problem>(&asked)) return std::move(*refused);
  const auto router = routing::create_router();
  for (const auto& each : config.connectors) router->declare(each->profile().name);
  const std::filesystem::path file = routing_state_file(files.settings.journal_path);
  const restored_state restored = restore_routing(file, *router, now);
  const bool used = restored.found && restored.refused.empty();
  note = used              ? "what a proxy had learned when it saved " + file.string()
         : !restored.found ? "nothing was learned yet: there is no " + file.string()
                           : file.string() + " is not used, " + restored.refused;
  return explain_now(config, std::get<api::explain_request>(asked), *router, {used ? "saved" : "none", std::nullopt},
                     now);
}

std::vector<std::string> merchants_of(const core::configuration& config) {
  std::vector<std::string> names;
  for (const auto& each : config.connectors)
    names.insert(names.end(), each->profile().merchants.begin(), each->profile().merchants.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace turnout::server
