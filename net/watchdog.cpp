#include "net/wire.hpp"

namespace turnout::net {

// Shared with the pending wait, which may run once more after its owner is gone.
struct watchdog::state : std::enable_shared_from_this<watchdog::state> {
  explicit state(tcp_socket& socket) : guarded(&socket), timer(socket.get_executor()) {}

  void arm() {
    armed_for = limit;
    timer.expires_at(limit);  // also cancels a later wait
    timer.async_wait([self = shared_from_this(), mine = ++turn](const error_code&) {
      if (mine == self->turn) self->on_fire();
    });
  }

  void on_fire() {
    armed_for = steady_clock::time_point::max();
    if (guarded == nullptr || limit == steady_clock::time_point::max()) return;
    if (steady_clock::now() < limit) return arm();
    expired = true;
    limit = steady_clock::time_point::max();
    error_code ignored;
    guarded->cancel(ignored);
  }

  tcp_socket* guarded;
  tcp_timer timer;
  steady_clock::time_point limit = steady_clock::time_point::max();
  steady_clock::time_point armed_for = steady_clock::time_point::max();
  std::uint64_t turn = 0;
  bool expired = false;
};

watchdog::watchdog(tcp_socket& guarded) : state_(std::make_shared<state>(guarded)) {}

watchdog::~watchdog() {
  state_->guarded = nullptr;
  ++state_->turn;
  state_->timer.cancel();
}

void watchdog::expire_at(steady_clock::time_point limit) {
  state_->expired = false;
  state_->limit = limit;
  if (limit < state_->armed_for) state_->arm();
}

void watchdog::rest() noexcept {
  state_->expired = false;
  state_->limit = steady_clock::time_point::max();
}

bool watchdog::expired() const noexcept { return state_->expired; }

}  // namespace turnout::net
