#include "sandbox/sandbox.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include "net/server.hpp"
#include "sandbox/answer_writing.hpp"
#include "sandbox/exchange.hpp"

namespace turnout::sandbox {
namespace asio = boost::asio;
namespace {

payments::instant clock_now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

std::uint64_t random_bits() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

/// Charge numbers grow with time, so that ids stay unique over restarts and resets.
std::uint64_t first_charge_number() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()) << 20;
}

exchange_options prepared(const sandbox_options& from) {
  exchange_options out;
  out.ledger_file = from.ledger_file;
  out.seed = from.seed != 0 ? from.seed : random_bits();
  out.salt = random_bits();
  out.first_charge = first_charge_number();
  return out;
}

net::response protocol_error(unsigned status, std::string_view detail) {
  std::string body = "{\"error\":{\"code\":\"http\",\"message\":";
  append_quoted(body, detail);
  return json_answer(status, body + "}}");
}

std::string host_of(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < gateway_count; ++i) {
    if (gateway_names[i] == name) return i;
  }
  throw std::out_of_range("no such gateway");
}

}  // namespace

struct sandbox::implementation {
  explicit implementation(sandbox_options from) : options(std::move(from)), bank(prepared(options)) {}

  std::unique_ptr<net::server> open(std::optional<std::size_t> gateway, std::uint16_t wanted, std::uint16_t& got);
  void receive(std::optional<std::size_t> gateway, const net::request& message, net::responder to);
  std::string switch_listener(std::size_t gateway, bool open_it);
  void settle();
  void flush();
  void arm();

  sandbox_options options;
  asio::io_context context{1};
  asio::steady_timer timer{context};
  exchange bank;
  std::unique_ptr<net::server> common;
  std::array<std::unique_ptr<net::server>, gateway_count> own;
  std::uint16_t common_port = 0;
  std::array<std::uint16_t, gateway_count> own_ports{};
  std::optional<payments::steady_time> armed;
  bool flush_posted = false;
  std::thread worker;
};

std::unique_ptr<net::server> sandbox::implementation::open(std::optional<std::size_t> gateway, std::uint16_t wanted,
                                                           std::uint16_t& got) {
  const auto handler = [this, gateway](std::size_t, net::request&& message, net::responder to) {
    receive(gateway, message, std::move(to));
  };
  std::vector<asio::io_context*> workers{&context};
  auto made = std::make_unique<net::server>(workers, net::server_limits{}, handler, protocol_error);
  try {
    got = made->listen(options.address, wanted);
  } catch (const boost::system::system_error& failed) {
    const std::string whose = gateway ? "gateway " + std::string(gateway_names[*gateway]) : "sandbox";
    throw boost::system::system_error(
        failed.code(), whose + " cannot listen on " + host_of(options.address) + ":" + std::to_string(wanted));
  }
  return made;
}

void sandbox::implementation::receive(std::optional<std::size_t> gateway, const net::request& message,
                                      net::responder to) {
  answerer answer = [to = std::move(to)](std::optional<net::response> what) {
    if (what) {
      to.send(std::move(*what));
    } else {
      to.abort();
    }
  };
  if (!gateway && message.target.starts_with("/_")) {
    // A listener closes in the worker's next round: its end is told after that.
    answer = [this, direct = std::move(answer)](std::optional<net::response> what) {
      asio::post(context, [direct, said = std::move(what)] { direct(said); });
    };
  }
  if (gateway) {
    bank.receive(*gateway, message, std::move(answer), clock_now());
  } else {
    bank.receive(message, std::move(answer), clock_now());
  }
  settle();
}

/// Called on the worker's thread. The port stays the gateway's own while it is closed.
std::string sandbox::implementation::switch_listener(std::size_t gateway, bool open_it) {
  auto& mine = own[gateway];
  if (!open_it) {
    mine.reset();  // closes the listener and every connection
    return {};
  }
  try {
    mine = open(gateway, own_ports[gateway], own_ports[gateway]);
    return {};
  } catch (const boost::system::system_error& failed) {
    return failed.what();
  }
}

/// After anything happened: what must be synced is synced once for everybody
/// who is ready by now, and the timer follows the agenda.
void sandbox::implementation::settle() {
  if (bank.waiting() && !flush_posted) {
    flush_posted = true;
    asio::post(context, [this] { flush(); });
  }
  arm();
}

void sandbox::implementation::flush() {
  flush_posted = false;
  try {
    bank.flush();
  } catch (const std::exception& failed) {
    // A ledger that cannot be written proves nothing any more: stop before answering.
    std::fprintf(stderr, "sandbox: %s\n", failed.what());
    std::_Exit(1);
  }
  settle();
}

void sandbox::implementation::arm() {
  const auto due = bank.next_due();
  if (!due || (armed && *armed <= *due)) return;
  armed = due;
  timer.expires_at(*due);
  timer.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;  // armed for something earlier, or stopping
    armed.reset();
    bank.run_due(clock_now());
    settle();
  });
}

sandbox::sandbox(sandbox_options options) : implementation_(std::make_unique<implementation>(std::move(options))) {}

sandbox::~sandbox() { stop(); }

void sandbox::start() {
  auto& self = *implementation_;
  const std::uint16_t wanted = self.options.port;
  if (wanted > 65535 - gateway_count) throw std::out_of_range("the sandbox takes five ports: choose one up to 65531");
  self.common = self.open(std::nullopt, wanted, self.common_port);
  for (std::size_t i = 0; i < gateway_count; ++i) {
    const auto port = static_cast<std::uint16_t>(wanted == 0 ? 0 : wanted + 1 + i);
    self.own[i] = self.open(i, port, self.own_ports[i]);
  }
  self.bank.set_addresses(self.options.address, self.common_port, self.own_ports);
  self.bank.set_listener_switch(
      [&self](std::size_t gateway, bool open_it) { return self.switch_listener(gateway, open_it); });
  self.worker = std::thread([&self] { self.context.run(); });
}

void sandbox::stop() {
  auto& self = *implementation_;
  if (!self.worker.joinable()) return;
  asio::post(self.context, [&self] {
    self.flush();
    self.bank.abandon();
    self.timer.cancel();
    for (auto& each : self.own) each.reset();
    self.common.reset();
    // Behind what the servers posted to close their connections.
    asio::post(self.context, [&self] { self.context.stop(); });
  });
  self.worker.join();
}

std::uint16_t sandbox::port() const noexcept { return implementation_->common_port; }

std::uint16_t sandbox::gateway_port(std::string_view name) const { return implementation_->own_ports[index_of(name)]; }

std::string sandbox::url() const {
  return "http://" + host_of(implementation_->options.address) + ":" + std::to_string(port());
}

std::string sandbox::gateway_url(std::string_view name) const {
  return "http://" + host_of(implementation_->options.address) + ":" + std::to_string(gateway_port(name));
}

std::string sandbox::describe() const {
  std::string line = "sandbox on " + url();
  for (const auto name : gateway_names) {
    line += ", ";
    line += name;
    line += " on " + gateway_url(name);
  }
  const auto& file = implementation_->options.ledger_file;
  return line + (file.empty() ? "; ledger in memory" : "; ledger in " + file);
}

}  // namespace turnout::sandbox
