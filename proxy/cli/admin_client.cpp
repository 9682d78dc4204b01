#include "proxy/cli/admin_client.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "net/client.hpp"

namespace turnout::cli {

std::string admin_url(const server::listener_settings& admin) {
  std::string host = admin.address == "0.0.0.0" ? "127.0.0.1" : admin.address == "::" ? "::1" : admin.address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (admin.secure ? "https://" : "http://") + host + ":" + std::to_string(admin.port);
}

net::response ask_admin(const admin_address& where, std::string target, std::string body) {
  using namespace std::chrono_literals;
  constexpr auto patience = 10s;
  boost::asio::io_context context(1);
  net::client_tls tls;
  tls.ca = where.ca;
  net::client_limits limits;
  limits.body_bytes = 64U << 20U;
  limits.response_timeout = patience;
  net::client_pool pool(context, net::parse_endpoint(where.url), limits, tls);
  net::request asked;
  asked.method = "POST";
  asked.target = std::move(target);
  asked.fields.emplace_back("Content-Type", "application/json");
  if (!where.token.empty()) asked.fields.emplace_back("Authorization", "Bearer " + where.token);
  asked.body = std::move(body);
  net::exchange_result result;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  pool.send(std::move(asked), deadline, [&](net::exchange_result came) {
    result = std::move(came);
    context.stop();
  });
  context.run();
  pool.close();
  if (result.error == net::client_error::none) return std::move(result.reply);
  const std::string why = where.url + ": " + std::string(to_string(result.error));
  if (result.error == net::client_error::connect_refused) throw nobody_there(why);
  throw std::runtime_error("the admin listener at " + why);
}

}  // namespace turnout::cli
