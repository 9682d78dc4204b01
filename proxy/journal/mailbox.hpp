#pragma once
// Where the completions of one worker's writes go: in one post per group, on
// the worker's own thread, and nowhere once the worker has gone.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy/core/ports.hpp"

namespace turnout::journal {

struct completion {
  std::function<void(core::commit_result)> done;
  core::commit_result result;
};

class mailbox : public std::enable_shared_from_this<mailbox> {
 public:
  explicit mailbox(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

  /// Any thread.
  void deliver(std::vector<completion> batch) {
    auto shared = std::make_shared<std::vector<completion>>(std::move(batch));
    std::lock_guard lock(mutex_);
    if (closed_) return;
    post_([self = shared_from_this(), shared] {
      for (completion& each : *shared) {
        if (self->closed_) return;
        each.done(std::move(each.result));
      }
    });
  }
  /// The worker's thread. When it returns, post is not called any more.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> closed_ = false;
  std::function<void(std::function<void()>)> post_;
};

}  // namespace turnout::journal
