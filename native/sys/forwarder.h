#pragma once
#include <pthread.h>

#include <atomic>
#include <vector>

#include "fd.h"
#include "forward.h"
#include "result.h"

namespace netloom {

// Runs any number of forwards on the thread that calls run(). One other thread, its owner, adds them and takes them out:
// each such call waits until the first is between two turns, so that once remove() has returned nothing of the forward
// is touched any more, its descriptors included.
class Forwarder {
 public:
  // Called on the thread that runs it, for a Forward that has something to tell.
  using Notify = void (*)(void* owner);

  Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;
  ~Forwarder();

  Failure open();
  // Until stop().
  void run();

  // From the owner's thread, while run() runs.
  void stop();
  // Owns nothing. `notify` is called with `owner` until remove() has returned.
  Failure add(Forward& forward, Notify notify, void* owner, bool paused);
  void remove(Forward& forward);
  void set_paused(Forward& forward, bool paused);
  void observe(Forward& forward, ForwardObserver& observer, bool on);

 private:
  struct Member;
  // One port of a member, and the direction that begins there.
  struct End {
    Member* member;
    uint32_t index;
    bool ready = true;     // the port may have frames
    bool blocked = false;  // they wait for room in the other
    bool queued = false;   // in runnable_
    uint64_t wakes = 0;    // ns of CLOCK_MONOTONIC at which to go on; 0 = not by time
    uint64_t looks = 0;    // at which to look again after an error
    uint32_t interest = 0;
    const ForwardPort& port() const { return member->forward->port(index); }
  };
  struct Member {
    Forward* forward;
    Notify notify;
    void* owner;
    bool paused = false;
    bool over = false;
    End ends[2];
  };

  template <typename Job>
  void call(Job&& job);
  void answer();
  Member* find(Forward& forward);
  Failure enter(Member& member);
  void leave(Member& member);
  void turn(End& end);
  void queue(End& end);
  // What epoll is to tell of the port.
  void watch(End& end);
  int timeout();
  void wake_sleepers();
  void heed(End& end, uint32_t events);
  void settle(Member& member);

  Fd epoll_, wake_;
  std::vector<Member*> members_;
  std::vector<End*> runnable_, next_;
  uint32_t sleepers_ = 0;  // ends with a time to wake or to look again
  uint64_t now_ = 0;
  bool stopped_ = false;
  ForwardScratch* scratch_ = nullptr;

  // The owner's wish, and its being granted.
  std::atomic<bool> asked_{false};
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t granted_ = PTHREAD_COND_INITIALIZER;
  void (*job_)(void* data) = nullptr;
  void* job_data_ = nullptr;
};

}  // namespace netloom
