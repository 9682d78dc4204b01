#pragma once
// One request on its way through an endpoint. Internal to api.
#include <string_view>
#include <utility>
#include <variant>

#include "proxy/api/answers.hpp"
#include "proxy/api/api.hpp"

namespace turnout::api {

struct api::exchange {
  worker& own;
  net::request& message;
  endpoint_call& call;
  std::string_view path, parameter;
  principal who;
  query asked;                      ///< has only what the endpoint's row names
  std::vector<field_error> faults;  ///< of the query; only where the endpoint reads
  gate::settings_pointer settings;

  void read(const payment_reading& from, read_answer (payment_reading::*what)(const read_request&) const) const {
    read_answer made = (from.*what)({*own.reader, who, parameter, asked, faults, message.fields});
    if (const problem* refused = std::get_if<problem>(&made)) return call.refuse(*refused);
    call.answer(std::get<net::response>(std::move(made)));
  }
};

/// A request on its way through an endpoint that needs no API key.
struct api::open_exchange {
  worker& own;
  const net::request& message;
  endpoint_call& call;
  std::string_view parameter, query;
};

}  // namespace turnout::api
