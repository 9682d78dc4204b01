// See proxy.hpp. Starting: everything is opened and bound before the first
// worker runs, and what the journal holds as unfinished is queued before the
// first connection, so that no request overtakes a payment's recovery.
#include "proxy/server/proxy.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "payments/identifier.hpp"
#include "proxy/api/api_key_store.hpp"
#include "proxy/server/explaining.hpp"
#include "proxy/server/restart_needed.hpp"
#include "proxy/server/timed_router.hpp"
#include "proxy/server/unresolved_census.hpp"

namespace turnout::server {

using namespace std::chrono_literals;

namespace {

/// Failovers a second that even a shop without traffic may make.
constexpr double retry_budget_floor_per_second = 2.0;
/// Descriptors that are not merchants' connections: gateways', the journal's, the log's.
constexpr std::size_t own_descriptors = 512;
constexpr std::chrono::milliseconds tick_interval{100}, refresh_interval{500}, drain_check_interval{20},
    due_interval{5000}, save_routing_interval{60'000};

std::string url(const listener_settings& of) {
  const bool v6 = of.address.find(':') != std::string::npos;
  return (of.tls ? "https://" : "http://") + (v6 ? "[" + of.address + "]" : of.address) + ":" + std::to_string(of.port);
}

telemetry::log_level log_level_of(const server_settings& configured) {
  return telemetry::parse_log_level(configured.log_level).value_or(telemetry::log_level::info);
}

}  // namespace

proxy::proxy(std::string conf, loaded_files files, std::size_t descriptors)
    : conf_(std::move(conf)),
      started_with_(files.settings),
      settings_(std::move(files.settings)),
      configuration_(std::move(files.configuration)),
      log_(open_log()),
      watcher_(metrics_, *log_),
      journal_(open_journal()),
      keys_(open_keys()),
      request_mac_(keys_.request_key()),
      card_mac_(keys_.card_key()),
      returns_(keys_.request_key()),
      key_ring_(api::api_key_store(settings_.keys_directory).file(),
                [this](const std::string& why) { log_->note(telemetry::log_level::error, "api_keys_unusable", why); }),
      key_usage_(settings_.keys_directory),
      routing_(std::make_unique<timed_router>(routing::create_router(), metrics_),
               policies::retry_budget(settings_.retry_budget, retry_budget_floor_per_second)),
      routing_state_(routing_state_file(settings_.journal_path), routing_, [this](const std::string& why) {
        log_->note(telemetry::log_level::warn, "routing_state_not_saved", why);
      }) {
  fit_connections(descriptors);
  declare_connectors();
  restore_routing();
  metrics_.set_config_reload(true, now().wall);
  make_workers();
  make_merchant_api();
  make_admin_api();
  load_api_keys();
  recover();
  listen();
}

proxy::~proxy() {
  stop();
  // Handlers that wait in the contexts hold pieces of the servers and engines:
  // the servers go first, the contexts with the workers after them.
  merchants_.reset();
  admin_.reset();
}

// ---- start ------------------------------------------------------------------

std::unique_ptr<telemetry::log> proxy::open_log() const {
  telemetry::log_settings wanted;
  wanted.level = log_level_of(settings_);
  wanted.file = settings_.log_file;
  std::string error;
  auto opened = telemetry::log::open(wanted, error);
  if (!opened) throw start_error("cannot write the log (log.file in turnout.yaml): " + error);
  return opened;
}

// Keys without the journal they were made for: it may have been lost, and with
// it the memory of what was charged.
void proxy::look_for_lost_journal() const {
  if (!secret_keys::exist(settings_.keys_directory)) return;
  std::error_code missing;
  const auto size = std::filesystem::file_size(settings_.journal_path, missing);
  if (!missing && size == 0)
    throw start_error("the journal " + settings_.journal_path + " is empty, but the keys in " +
                      settings_.keys_directory +
                      " were made for one that was not; restore it from its backup, or remove the empty file to begin "
                      "a new journal");
  if (missing == std::errc::no_such_file_or_directory)
    log_->note(telemetry::log_level::warn, "journal_new",
               "there was no journal at " + settings_.journal_path +
                   " though its keys exist: a new one begins, and payments and idempotency keys of an earlier one are "
                   "not known to it");
}

std::unique_ptr<journal::sqlite_journal> proxy::open_journal() {
  look_for_lost_journal();
  journal::journal_options options;
  options.on_commit = [this](double seconds, std::size_t writes) {
    metrics_.journal_commit(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)), writes);
  };
  options.on_problem = [this](std::string_view what) { log_->note(telemetry::log_level::error, "journal", what); };
  auto opened = journal::sqlite_journal::open(settings_.journal_path, std::move(options));
  if (const auto taken_at = opened->restored_from())
    log_->note(telemetry::log_level::warn, "journal_restored",
               "the journal is a backup that was put back: payments and idempotency keys after " +
                   std::to_string(std::chrono::floor<std::chrono::seconds>(*taken_at).time_since_epoch().count()) +
                   " (seconds since 1970) are not known to it; see docs/operations.md");
  return opened;
}

secret_keys proxy::open_keys() {
  const journal_binding binding{settings_.journal_path, journal_->key_identity(), journal_->has_payments()};
  secret_keys keys = secret_keys::open(settings_.keys_directory, binding);
  if (!binding.identity) journal_->set_key_identity(keys.identity());
  return keys;
}

void proxy::load_api_keys() {
  try {
    key_ring_.load();
  } catch (const std::runtime_error& unusable) {
    throw start_error(unusable.what());
  }
}

void proxy::fit_connections(std::size_t descriptors) {
  const std::size_t most = descriptors > 2 * own_descriptors ? descriptors - own_descriptors : descriptors / 2;
  if (settings_.limits.connections <= most) return;
  log_->note(telemetry::log_level::warn, "connections_limited",
             "limits.connections is " + std::to_string(settings_.limits.connections) + ", but this process may open " +
                 std::to_string(descriptors) + " files only: " + std::to_string(most) +
                 " connections it is; raise the limit with ulimit -n or LimitNOFILE");
  // More connections than descriptors would make accept fail instead of answering 503.
  settings_.limits.connections = most;
}

void proxy::make_workers() {
  const unsigned count = worker_count(settings_);
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(
        std::make_unique<worker>(*journal_, routing_, watcher_, configuration_, core::ownership{i, count}));
    workers_.back()->engine().on_gateway_recovered = [this](const std::string& connector) {
      tell_gateway_recovered(connector);
    };
    workers_.back()->engine().make_return_url = [this](std::string_view payment, core::wall_time expires) {
      return returns_.make(public_url(), payment, expires);
    };
  }
  unanswered_ = std::make_unique<unanswered_count>(count);
}

void proxy::make_merchant_api() {
  api::dependencies world;
  for (const auto& each : workers_)
    world.workers.push_back(api::worker::with(
        each->engine(), each->view(), [this, own = each.get()] { return request_id(own->random()); },
        [own = each.get()](const api::principal& who, std::string_view key) {
          return own->view().knows_key(who.merchant, who.livemode, key);
        }));
  for (std::size_t i = 0; i < workers_.size(); ++i)
    world.workers[i].modify = [this, own = workers_[i].get()](core::modify_command command,
                                                              std::function<void(core::modify_result)> done) {
      worker& owner = owner_of(command.payment_id);
      if (&owner == own) return own->engine().modify(std::move(command), std::move(done));
      owner.post([&owner, own, command = std::move(command), done = std::move(done)]() mutable {
        owner.engine().modify(std::move(command), [own, done = std::move(done)](core::modify_result result) {
          own->post([done, result = std::move(result)]() mutable { done(std::move(result)); });
        });
      });
    };
  for (std::size_t i = 0; i < workers_.size(); ++i)
    world.workers[i].shopper_returned = [this, own = workers_[i].get()](
                                            std::string payment,
                                            std::function<void(std::optional<payments::payment>)> done) {
      worker& owner = owner_of(payment);
      owner.post([&owner, own, payment = std::move(payment), done = std::move(done)] {
        owner.engine().shopper_returned(payment, [own, done](std::optional<payments::payment> known) {
          own->post([done, known = std::move(known)]() mutable { done(std::move(known)); });
        });
      });
    };
  world.returns = &returns_;
  world.keys = &key_ring_;
  world.request_key = &request_mac_;
  world.card_key = &card_mac_;
  world.now = [this] { return now(); };
  world.on_request = [this](const api::request_report& report) { on_request(report); };
  metrics_.declare_limits(api::limit_reasons);
  world.on_limited = [this](std::string_view reason) { metrics_.limited(reason); };
  world.settings = std::make_shared<const api::api_settings>(settings_.api);
  world.draining = [this] { return phase_ != phase::ready; };
  world.tls = settings_.listen.tls != nullptr;
  api_ = std::make_unique<api::api>(std::move(world));

  std::vector<boost::asio::io_context*> contexts;
  for (const auto& each : workers_) contexts.push_back(&each->context());
  merchants_ = std::make_unique<net::server>(
      std::move(contexts), settings_.limits,
      [this](std::size_t worker, net::request&& message, net::responder reply) {
        api_->handle(worker, std::move(message), std::move(reply));
      },
      [this](unsigned status, std::string_view detail) {
        // Any worker's thread: the source is the thread's own.
        thread_local system_random random;
        return api_->protocol_error(status, detail, request_id(random));
      });
}

void proxy::make_admin_api() {
  api::admin_dependencies world;
  world.ready = [this] { return readiness(); };
  world.metrics = [this] { return metrics_.render(); };
  world.connectors = [this] {
    return routing_.with([this](routing::router& router, policies::retry_budget&) { return router.view(now()); });
  };
  world.merchants = [this] { return merchants_of(*configuration_); };
  world.explain = [this](const api::explain_request& asked) { return explain(asked); };
  world.reload = [this] { return reload(); };
  world.resolve = [this](core::resolve_command command, std::function<void(core::resolve_result)> done) {
    worker& owner = owner_of(command.payment_id);
    owner.post([this, &owner, command = std::move(command), done = std::move(done)]() mutable {
      owner.engine().resolve(std::move(command), [this, done = std::move(done)](core::resolve_result result) {
        boost::asio::post(control_, [done, result = std::move(result)]() mutable { done(std::move(result)); });
      });
    });
  };
  world.make_request_id = [this] { return request_id(control_random_); };
  world.now = [this] { return now(); };
  world.on_request = [this](const api::request_report& report) { on_request(report); };
  world.token = std::move(settings_.admin_token);
  world.tls = settings_.admin.tls != nullptr;
  world.address = settings_.admin.address;
  admin_api_ = std::make_unique<api::admin_api>(std::move(world));

  net::server_limits limits = settings_.limits;
  limits.connections = 256;
  admin_ = std::make_unique<net::server>(
      std::vector<boost::asio::io_context*>{&control_}, limits,
      [this](std::size_t worker, net::request&& message, net::responder reply) {
        admin_api_->handle(worker, std::move(message), std::move(reply));
      },
      [this](unsigned status, std::string_view detail) {
        return api_->protocol_error(status, detail, request_id(control_random_));
      });
}

worker& proxy::owner_of(std::string_view payment_id) {
  return *workers_[core::ownership::of(payment_id, workers_.size())];
}

// The journal is ours by now, and with it the file beside it.
void proxy::restore_routing() {
  const std::filesystem::path file = routing_state_file(settings_.journal_path);
  const restored_state done = routing_.with(
      [&](routing::router& router, policies::retry_budget&) { return server::restore_routing(file, router, now()); });
  if (!done.found) return;
  if (done.refused.empty())
    log_->note(telemetry::log_level::info, "routing_state_restored", file.string());
  else
    log_->note(telemetry::log_level::warn, "routing_state_dropped",
               file.string() + ": " + done.refused + "; routing learns anew");
}

void proxy::recover() {
  std::vector<payments::payment> unfinished = journal_->unfinished();
  if (!unfinished.empty()) log_->recovered(unfinished.size());
  for (payments::payment& each : unfinished) {
    worker& owner = owner_of(each.id);
    owner.post([&owner, record = std::move(each)]() mutable { owner.engine().recover(std::move(record)); });
  }
}

std::uint16_t proxy::listen_on(net::server& server, const listener_settings& where, const char* key,
                               const char* variable) {
  if (where.tls) server.use_tls(where.tls);
  try {
    return server.listen(where.address, where.port);
  } catch (const boost::system::system_error& failed) {
    std::string text =
        "cannot listen on " + where.address + ":" + std::to_string(where.port) + ": " + failed.code().message() + ".";
    if (failed.code() == boost::asio::error::address_in_use)
      text += " Another program has this port: choose another with '" + std::string(key) +
              "' in turnout.yaml, or with the environment variable " + variable + ".";
    else
      text += " See '" + std::string(key) + "' in turnout.yaml.";
    throw start_error(text);
  }
}

void proxy::listen() {
  settings_.listen.port = listen_on(*merchants_, settings_.listen, "listen.port", "TURNOUT_PORT");
  settings_.admin.port = listen_on(*admin_, settings_.admin, "admin.port", "TURNOUT_ADMIN_PORT");
}

void proxy::run() {
  wait_for_signal();
  start_timers();
  for (const auto& each : workers_) each->start();
  refresh_metrics();  // not a second later: who is told "ready" may look at once
  phase_ = phase::ready;
  const std::string payments_url = url(settings_.listen), admin_url = url(settings_.admin);
  log_->started(TURNOUT_VERSION, payments_url, admin_url, static_cast<unsigned>(workers_.size()));
  // For people and scripts that started it: the ports may have been 0.
  std::printf("turnout " TURNOUT_VERSION " ready: payments on %s, admin on %s\n", payments_url.c_str(),
              admin_url.c_str());
  std::fflush(stdout);
  control_.run();
}

// ---- while it runs ----------------------------------------------------------

void proxy::wait_for_signal() {
  if (phase_ == phase::starting)
    for (const int each : {SIGTERM, SIGINT, SIGHUP}) signals_.add(each);
  signals_.async_wait([this](const boost::system::error_code& failed, int number) {
    if (failed) return;
    on_signal(number);
    wait_for_signal();
  });
}

void proxy::on_signal(int number) {
  if (number == SIGHUP) {
    reload();
  } else if (phase_ == phase::ready) {
    begin_drain(number);
  } else {
    log_->stopping("asked again");
    stop();
  }
}

void proxy::start_timers() {
  const auto repeat = [this](std::chrono::milliseconds interval, void (proxy::*work)()) {
    timers_.push_back(std::make_unique<every>(control_, interval, [this, work] { (this->*work)(); }));
  };
  repeat(tick_interval, &proxy::tick);
  repeat(refresh_interval, &proxy::refresh);
  repeat(due_interval, &proxy::look_at_due);
  repeat(save_routing_interval, &proxy::save_routing);
}

void proxy::tick() {
  routing_.with([this](routing::router& router, policies::retry_budget&) { router.tick(now()); });
}

// Authorizations that expire, and gateways that are asked once more: see payments/due.hpp.
void proxy::look_at_due() {
  for (const auto& each : workers_)
    each->post([own = each.get(), this] {
      std::vector<journal::due_payment> all;
      try {
        all = own->view().due(now().wall);
      } catch (const std::runtime_error& unreadable) {
        log_->note(telemetry::log_level::error, "journal", unreadable.what());
      }
      for (const journal::due_payment& due : all)
        if (&owner_of(due.id) == own && !own->engine().look_at(due.id))
          log_->note(telemetry::log_level::error, "payment_unreadable", due.id);
    });
}

void proxy::refresh() {
  key_ring_.refresh();
  save_key_usage(false);
  refresh_metrics();
}

void proxy::save_key_usage(bool at_end) {
  try {
    if (at_end)
      key_usage_.save(key_ring_.uses());
    else
      key_usage_.save_if_due(key_ring_.uses(), now().steady);
  } catch (const std::runtime_error& failed) {
    log_->note(telemetry::log_level::warn, "key_usage_not_saved", failed.what());
  }
}

void proxy::refresh_metrics() {
  double budget = 0;
  const auto views = routing_.with([&](routing::router& router, policies::retry_budget& failovers) {
    budget = failovers.remaining(now().steady);
    return router.view(now());
  });
  metrics_.set_connectors(views);
  metrics_.set_retry_budget_remaining(budget);
  metrics_.set_pacing(routing_.pacing().views());
  auto census = std::make_shared<unresolved_census>(
      workers_.size(), [this](const unresolved_census::views& found) { metrics_.set_unresolved(found); });
  for (const auto& each : workers_)
    each->post([own = each.get(), census] { census->add(own->engine().unresolved(now())); });
}

void proxy::declare_connectors() {
  std::vector<std::string> names;
  for (const auto& each : configuration_->connectors) names.push_back(each->profile().name);
  metrics_.declare_connectors(names);
  routing_.with([&](routing::router& router, policies::retry_budget&) {
    for (const std::string& name : names) router.declare(name);
  });
}

void proxy::on_request(const api::request_report& report) {
  metrics_.http_request(report.route, report.method, report.status, report.seconds);
  log_->http_request({report.route, report.method, report.status, report.seconds, report.request_id, report.failure});
}

void proxy::tell_gateway_recovered(const std::string& connector) {
  for (const auto& each : workers_)
    each->post([own = each.get(), connector] { own->engine().gateway_recovered(connector); });
}

std::string proxy::explain(const api::explain_request& asked) {
  double budget = 0;
  const auto copy = routing_.with([&](routing::router& router, policies::retry_budget& failovers) {
    budget = failovers.remaining(now().steady);
    return router.copy();
  });
  return explain_now(*configuration_, asked, *copy, {"running", budget}, now());
}

// What was learned of a connector goes with it.
void proxy::retire_connectors(const core::configuration& before) {
  routing_.with([&](routing::router& router, policies::retry_budget&) {
    for (const auto& each : before.connectors)
      if (configuration_->find(each->profile().name) == nullptr) router.retire(each->profile().name);
  });
}

settings::problems proxy::reload() {
  if (phase_ != phase::ready) return {{conf_, 0, 0, false, "the proxy is stopping"}};
  loaded_files files = load_files(conf_, system_secrets());
  settings::problems found = std::move(files.problems);
  for (const settings::problem& each : found) {
    if (each.warning)
      log_->note(telemetry::log_level::warn, "config_warning", each.to_string());
    else
      log_->config_refused(each.to_string());
  }
  const bool good = files.configuration != nullptr;
  if (good) apply(std::move(files));
  metrics_.set_config_reload(good, now().wall);
  return found;
}

void proxy::apply(loaded_files files) {
  const server_settings& wanted = files.settings;
  if (wanted.retry_budget != settings_.retry_budget)
    routing_.with([&](routing::router&, policies::retry_budget& budget) {
      budget = policies::retry_budget(wanted.retry_budget, retry_budget_floor_per_second);
    });
  settings_.retry_budget = wanted.retry_budget;
  settings_.drain_timeout = wanted.drain_timeout;
  settings_.log_level = wanted.log_level;
  settings_.api = wanted.api;
  api_->configure(std::make_shared<const api::api_settings>(wanted.api));
  // A port stays plain or TLS until the next start.
  if (settings_.listen.tls && wanted.listen.tls) merchants_->use_tls(wanted.listen.tls);
  if (settings_.admin.tls && wanted.admin.tls) admin_->use_tls(wanted.admin.tls);
  log_->set_level(log_level_of(wanted));
  if (const std::string names = restart_needed(started_with_, wanted); !names.empty())
    log_->note(telemetry::log_level::warn, "config_needs_restart", "taken over at the next start only: " + names);
  const auto before = std::exchange(configuration_, std::move(files.configuration));
  for (const auto& each : workers_) each->post([own = each.get(), config = configuration_] { own->configure(config); });
  retire_connectors(*before);
  declare_connectors();
  log_->config_reloaded(configuration_->policies.version);
}

// ---- the end ----------------------------------------------------------------

void proxy::begin_drain(int signal) {
  phase_ = phase::draining;
  drain_until_ = std::chrono::steady_clock::now() + settings_.drain_timeout;
  log_->stopping(signal == SIGINT ? "SIGINT" : "SIGTERM");
  merchants_->drain();
  for (const auto& each : workers_) each->post([own = each.get()] { own->engine().drain(); });
  timers_.push_back(std::make_unique<every>(control_, drain_check_interval, [this] { check_drained(); }));
}

void proxy::check_drained() {
  if (phase_ != phase::draining) return;
  const bool late = std::chrono::steady_clock::now() >= drain_until_;
  if (late || (unanswered_->all_answered() && merchants_->open_connections() == 0)) {
    if (late) log_->note(telemetry::log_level::warn, "drain_timeout", "payments in flight are left to the next start");
    stop();
    return;
  }
  for (std::size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->post([this, i] { unanswered_->report(i, workers_[i]->engine().unanswered()); });
}

void proxy::stop() {
  const phase before = phase_.exchange(phase::stopped);
  if (before == phase::stopped) return;
  merchants_->stop();
  admin_->stop();
  for (const auto& each : workers_) each->stop();
  save_key_usage(true);
  if (before != phase::starting) routing_state_.finish(now());
  control_.stop();
  log_->stopped(unanswered_->total());
}

// ---- small things -----------------------------------------------------------

api::readiness proxy::readiness() const {
  switch (phase_.load()) {
    case phase::starting: return {false, "starting", {}};
    case phase::ready:
      if (!journal_->accepting()) return {false, "unavailable", "journal_unavailable"};
      return {true, "ready", {}};
    case phase::draining: return {false, "draining", {}};
    case phase::stopped: break;
  }
  return {false, "stopped", {}};
}

std::string proxy::public_url() const {
  if (!settings_.public_url.empty()) return settings_.public_url;
  listener_settings here = settings_.listen;
  if (here.address == "0.0.0.0" || here.address == "::") here.address = "127.0.0.1";
  return url(here);
}

payments::instant proxy::now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

std::string proxy::request_id(payments::random_source& random) {
  return payments::make_identifier("req", now().wall, random);
}

}  // namespace turnout::server
