// A definition file, loaded: the blocks in order, then what they promise each
// other. Loading goes on after a mistake, so that one run shows them all.
#include "connectors/definition.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "connectors/profile_loader.hpp"
#include "connectors/request_template.hpp"
#include "connectors/response_rules.hpp"
#include "connectors/tls_loader.hpp"
#include "payments/assertion.hpp"

namespace turnout::connectors {
namespace {

using payments::operation;
using payments::outcome;

constexpr std::size_t longest_name = 40;

struct operation_definition {
  request_template request;
  response_rules response;
};

class loaded_definition final : public definition {
 public:
  const payments::connector_profile& profile() const noexcept override { return profile_; }
  std::string_view base_url() const noexcept override { return base_url_; }
  const std::shared_ptr<const gateway_tls>& tls() const noexcept override { return tls_; }

  wire_request build_request(operation wanted, const request_context& context) const override {
    const auto& found = operations_[static_cast<std::size_t>(wanted)];
    TURNOUT_ASSERT(found.has_value());
    return found->request.build(context, exponents_);
  }

  payments::send_result parse_response(operation asked, const wire_reply& reply,
                                       const payments::money& charged) const override {
    const auto& found = operations_[static_cast<std::size_t>(asked)];
    TURNOUT_ASSERT(found.has_value());
    return found->response.read(reply, charged, exponents_);
  }

  payments::connector_profile profile_;
  std::string base_url_, path_prefix_;
  std::shared_ptr<const gateway_tls> tls_;
  exponents exponents_;
  std::array<std::optional<operation_definition>, payments::operation_count> operations_;
};

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// "host:port" with a default port, lower limits of what a URL may hold; empty when wrong.
std::string authority_of(std::string_view text, std::string_view usual_port) {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) return {};
  const std::string_view host = text.substr(0, bracketed ? host_end + 1 : host_end);
  std::string_view rest = text.substr(host.size());
  const std::string_view inside = bracketed ? host.substr(1, host.size() - 2) : host;
  const bool good_host = !inside.empty() && std::all_of(inside.begin(), inside.end(), [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || c == '.' || c == '-' || (bracketed && c == ':');
  });
  if (!good_host) return {};
  if (rest.empty()) return std::string(host).append(":").append(usual_port);
  unsigned port = 0;
  if (!rest.starts_with(':')) return {};
  rest.remove_prefix(1);
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (failed != std::errc() || end != rest.data() + rest.size() || port < 1 || port > 65535) return {};
  return std::string(host) + ':' + std::to_string(port);
}

void load_base_url(const settings::value& in, loaded_definition& into) {
  const auto text = in.text();
  if (!text) return;
  const bool secure = text->starts_with("https://");
  const std::string_view scheme = secure ? "https://" : "http://";
  if (!text->starts_with(scheme))
    return in.error("'base_url' must be https://host, https://host:port or https://host:port/path (http:// too)");
  const std::string_view rest = std::string_view(*text).substr(scheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string authority = authority_of(rest.substr(0, slash), secure ? "443" : "80");
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool good_path = std::all_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7F && c != '?' && c != '#';
  });
  if (authority.empty() || !good_path)
    return in.error(
        "'base_url' must be https://host, https://host:port or https://host:port/path (http:// too), without user, "
        "query and fragment");
  into.base_url_ = std::string(scheme) + authority;
  into.path_prefix_ = path;
}

std::vector<std::string> split_path(std::string_view dotted) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t dot = dotted.find('.');
    out.emplace_back(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    dotted.remove_prefix(dot + 1);
  }
}

/// The key's template, checked: it must be one request's own.
std::optional<pieces> load_key_value(const settings::value& in) {
  auto made = compile_text(in, {operation::sale, place::header, true});
  if (!made) return std::nullopt;
  if (inserts(*made, variable::operation_id)) return made;
  in.error(
      "'value' must contain {{attempt.id}}: a key that two attempts share would make the gateway answer the wrong one");
  return std::nullopt;
}

bool load_idempotency(const settings::value& in, payments::idempotency_profile& profile, key_template& key) {
  if (!in) return true;
  const settings::fields block(in, {"value", "in", "name", "ttl", "caches", "in_flight"});
  using where = key_template::where;
  const auto place_of_key =
      block.required("in").choice<where>({{"header", where::header}, {"body", where::body}, {"none", where::none}});
  const auto caches = block.required("caches").choice<payments::key_caches>({{"all", payments::key_caches::all},
                                                                             {"success", payments::key_caches::success},
                                                                             {"none", payments::key_caches::none}});
  const auto in_flight = block.optional("in_flight")
                             .choice<payments::key_in_flight>({{"parallel", payments::key_in_flight::parallel},
                                                               {"conflict", payments::key_in_flight::conflict},
                                                               {"wait", payments::key_in_flight::wait}});
  if (!place_of_key || !caches || (block.has("in_flight") && !in_flight)) return false;
  if (*place_of_key == where::none) {
    if (*caches != payments::key_caches::none)
      block.optional("caches").error("'caches' must be none when no key is sent (in: none)");
    return *caches == payments::key_caches::none;
  }
  const auto ttl = block.required("ttl").duration(std::chrono::seconds(1));
  const auto name = block.required("name").text();
  const settings::value content = block.required("value");
  auto compiled = load_key_value(content);
  if (!ttl || !name || !compiled) return false;
  profile = {*caches, in_flight.value_or(payments::key_in_flight::parallel),
             std::chrono::duration_cast<std::chrono::seconds>(*ttl)};
  key.in = *place_of_key;
  key.name = *name;
  key.header_value = std::move(*compiled);
  if (key.in == where::header && !is_header_name(*name)) {
    block.optional("name").error("'name' must be a header's name, such as Idempotency-Key");
    return false;
  }
  if (key.in == where::body) {
    key.body = body_addition{split_path(*name), content};
    for (const std::string& part : key.body->path)
      if (part.empty()) {
        block.optional("name").error("'name' must be a key of the body, such as requestKey or meta.requestKey");
        return false;
      }
  }
  return true;
}

constexpr std::array operation_names = {
    std::string_view("sale"), std::string_view("authorize"), std::string_view("capture"), std::string_view("refund"),
    std::string_view("void"), std::string_view("reverse"),   std::string_view("inquire")};

class loader {
 public:
  loader(const settings::document& file, settings::problems& found)
      : found_(found),
        errors_before_(count_errors()),
        top_(settings::root(file, found), {"version", "connector", "mode", "merchants", "base_url", "tls", "auth",
                                           "timeouts", "capabilities", "fees", "idempotency", "resolve", "refunds",
                                           "authorization_valid", "exponents", "operations", "declines", "maps"}),
        out_(std::make_shared<loaded_definition>()) {
    out_->tls_ = load_tls(top_.optional("tls"), file);
  }

  std::shared_ptr<const definition> load() {
    payments::connector_profile& profile = out_->profile_;
    top_.required("version").integer(1, 1);
    load_name(top_.required("connector"));
    if (const auto live = top_.required("mode").choice<bool>({{"test", false}, {"live", true}})) profile.live = *live;
    load_merchants(top_.required("merchants"), profile);
    load_base_url(top_.required("base_url"), *out_);
    if (out_->base_url_.starts_with("http://"))
      top_.optional("tls").error("'tls' means nothing without TLS: 'base_url' must begin with https://");
    // A stand-in keeps the rest of a file checked when only auth is wrong.
    setting_.auth = load_credentials(top_.required("auth")).value_or(credentials{"Authorization", "", {}, {}});
    setting_.prefix = out_->path_prefix_;
    load_timeouts(top_.optional("timeouts"), profile);
    load_capabilities(top_.required("capabilities"), profile);
    load_fees(top_.optional("fees"), profile);
    const bool good_key = load_idempotency(top_.optional("idempotency"), profile.idempotency, setting_.key);
    load_resolve(top_.optional("resolve"), profile);
    load_refunds(top_.optional("refunds"), profile);
    load_authorization_valid(top_.optional("authorization_valid"), profile);
    load_exponents(top_.optional("exponents"), out_->exponents_);
    load_maps();
    load_operations(top_.required("operations"));
    if (good_key) check_promises(top_.optional("resolve"), top_.map(), profile);
    if (profile.capture_automatic || profile.capture_manual) check_charges();
    check_authentication(top_.optional("capabilities"));
    if (count_errors() != errors_before_) return nullptr;
    protect_paths();
    return out_;
  }

 private:
  std::size_t count_errors() const {
    return static_cast<std::size_t>(
        std::count_if(found_.begin(), found_.end(), [](const settings::problem& each) { return !each.warning; }));
  }

  void load_name(const settings::value& in) {
    auto name = in.text();
    if (!name) return;
    if (!is_name(*name)) return in.error("'connector' must be 1 to 40 of a-z, 0-9, '_' and '-'");
    out_->profile_.name = std::move(*name);
  }

  void load_maps() {
    if (const auto declines = top_.optional("declines")) load_reason_map("declines", declines, maps_);
    for (const settings::entry& each : top_.optional("maps").entries()) {
      if (maps_.contains(each.key))
        each.key_value.error("the map '" + each.key + "' is given twice");
      else
        load_reason_map(each.key, each.item, maps_);
    }
  }

  void load_operations(const settings::value& in) {
    const settings::fields block(in, {operation_names.begin(), operation_names.end()});
    for (const std::string_view name : operation_names)
      if (const settings::value each = block.optional(name)) add_kept_names(each, setting_.kept);
    if (setting_.kept.size() > payments::most_kept_values)
      in.error("rules may keep at most " + std::to_string(payments::most_kept_values) + " values, not " +
               std::to_string(setting_.kept.size()));
    for (const std::string_view name : operation_names) {
      const settings::value each = block.optional(name);
      if (!each) continue;
      const operation asked = *payments::parse_operation(name);
      // Counts as offered even with mistakes in it: they are reported on their own.
      out_->profile_.operations.push_back(asked);
      load_operation(each, asked);
    }
  }

  void load_operation(const settings::value& in, operation asked) {
    const settings::fields block(in, {"request", "response"});
    auto request = load_request(block.required("request"), asked, setting_);
    const bool echoes = !request || carries_id(*request, asked);
    auto response = response_rules::load(block.required("response"), asked, maps_, echoes);
    if (response) check_rules(block.optional("response"), *response, asked);
    if (request) check_reference(block.optional("request"), *request, asked);
    if (request && response)
      out_->operations_[static_cast<std::size_t>(asked)] =
          operation_definition{std::move(*request), std::move(*response)};
  }

  /// The request has the id of what is asked in it, wherever.
  static bool carries_id(const request_template& request, operation asked) {
    const bool modifies = asked == operation::capture || asked == operation::refund || asked == operation::void_payment;
    const auto has = [&](const pieces& in) {
      return inserts(in, variable::operation_id) || (!modifies && inserts(in, variable::attempt_id));
    };
    return has(request.target) || has(request.body) ||
           std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const auto& each) { return has(each.second); });
  }

  void protect_paths() {
    bool reference = false;
    std::vector<std::string> kept;
    for (const auto& each : out_->operations_) {
      if (!each) continue;
      reference = reference || inserts(each->request.target, variable::attempt_gateway_reference);
      for (const piece& one : each->request.target)
        if (one.what == piece::action::insert && one.id == variable::kept) kept.push_back(one.text);
    }
    for (auto& each : out_->operations_)
      if (each) each->response.use_in_paths(reference, kept);
  }

  void check_rules(const settings::value& where, const response_rules& rules, operation asked) const {
    const bool tells_later =
        asked != operation::inquire && asked != operation::reverse && rules.can_say(outcome::pending);
    if (!rules.can_say(outcome::approved) && !tells_later)
      where.error("no rule says 'outcome: approved', so '" + std::string(to_string(asked)) + "' could never succeed");
    if (asked == operation::inquire && out_->profile_.resolve.not_found_final_after && !rules.can_say_not_found())
      where.error("no rule says 'outcome: not_found', which resolve.not_found_final_after counts on");
  }

  /// An answer can get lost: then only our own reference finds the charge.
  void check_reference(const settings::value& where, const request_template& request, operation asked) const {
    const payments::resolve_profile& resolve = out_->profile_.resolve;
    const bool charge = asked == operation::sale || asked == operation::authorize;
    const bool finds = asked == operation::inquire || asked == operation::reverse;
    const bool carried = inserts(request.target, variable::attempt_id) || inserts(request.body, variable::attempt_id);
    if (!carried && (finds || (charge && (resolve.inquire || resolve.reverse))))
      where.error("'" + std::string(to_string(asked)) +
                  "' must carry our reference {{attempt.id}} in its path, query or body: inquire and reverse go by it");
  }

  void check_charges() {
    const payments::connector_profile& profile = out_->profile_;
    const settings::value operations = top_.optional("operations");
    if (!operations.is_map()) return;
    const bool authorize = profile.offers(operation::authorize);
    if (profile.capture_automatic && !profile.offers(operation::sale) &&
        !(authorize && profile.offers(operation::capture)))
      operations.error("capture: automatic needs the operation 'sale' (or 'authorize' and 'capture')");
    if (profile.multiple_captures && !profile.offers(operation::capture))
      operations.error("capabilities.multiple_captures needs the operation 'capture'");
    if (profile.refunds.unsettled == payments::unsettled_refund::void_if_full &&
        !profile.offers(operation::void_payment))
      operations.error("refunds.unsettled: void_if_full needs the operation 'void'");
    if (profile.capture_manual && !authorize) operations.error("capture: manual needs the operation 'authorize'");
  }

  /// What is said of authentication, and what the operations do.
  void check_authentication(const settings::value& capabilities) const {
    const payments::connector_profile& profile = out_->profile_;
    bool challenges = false, charges = false;
    for (const operation asked : {operation::sale, operation::authorize}) {
      const auto& charge = out_->operations_[static_cast<std::size_t>(asked)];
      if (!charge) continue;
      charges = true;
      challenges = challenges || charge->response.can_say(outcome::requires_action);
      const bool carries = inserts(charge->request.body, variable::authentication_cryptogram);
      const std::string name(to_string(asked));
      if (profile.takes_authentication && !carries)
        capabilities.error("authentication: external needs {{authentication.cryptogram}} in the body of '" + name +
                           "'");
      if (!profile.takes_authentication && carries)
        capabilities.error("'" + name + "' carries {{authentication.cryptogram}}: say authentication: [external]");
    }
    if (profile.may_challenge && charges && !challenges)
      capabilities.error("authentication: challenge needs a rule that says 'outcome: requires_action'");
  }

  settings::problems& found_;
  std::size_t errors_before_;
  settings::fields top_;
  std::shared_ptr<loaded_definition> out_;
  request_setting setting_;
  reason_maps maps_;
};

}  // namespace

std::shared_ptr<const definition> definition::load(const settings::document& file, settings::problems& found) {
  return loader(file, found).load();
}

}  // namespace turnout::connectors
