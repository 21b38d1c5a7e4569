#include "forwarder.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <new>
#include <type_traits>

namespace netloom {
namespace {

// A device on its way out reports an error before it refuses calls, and nothing when it does.
constexpr uint64_t kLookAgain = 10'000'000;

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

Forwarder::Forwarder() = default;

Forwarder::~Forwarder() {
  for (Member* member : members_) delete member;
  delete scratch_;
  pthread_cond_destroy(&granted_);
  pthread_mutex_destroy(&mutex_);
}

Failure Forwarder::open() {
  scratch_ = new (std::nothrow) ForwardScratch();
  if (!scratch_) return {ENOMEM, "new", nullptr};
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Failure::last("epoll_create1");
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return Failure::last("eventfd");
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) return Failure::last("epoll_ctl");
  return {};
}

void Forwarder::run() {
  epoll_event events[64];
  for (;;) {
    if (asked_) answer();
    now_ = now_ns();
    if (sleepers_ > 0) wake_sleepers();
    next_.swap(runnable_);
    for (size_t i = 0; i < next_.size(); i++) {
      End* end = next_[i];
      if (!end) continue;  // its forward was taken out meanwhile
      end->queued = false;
      next_[i] = nullptr;
      turn(*end);
      if (asked_) answer();
    }
    next_.clear();
    if (stopped_) break;
    const int count = epoll_wait(epoll_.get(), events, 64, runnable_.empty() ? timeout() : 0);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr) {
        heed(*static_cast<End*>(events[i].data.ptr), events[i].events);
      } else {
        uint64_t value;
        ssize_t n = read(wake_.get(), &value, sizeof value);
        (void)n;
      }
    }
  }
}

template <typename Job>
void Forwarder::call(Job&& job) {
  pthread_mutex_lock(&mutex_);
  job_data_ = &job;
  job_ = [](void* data) { (*static_cast<std::remove_reference_t<Job>*>(data))(); };
  asked_ = true;
  const uint64_t one = 1;
  ssize_t n;
  do n = write(wake_.get(), &one, sizeof one);
  while (n < 0 && errno == EINTR);
  while (job_) pthread_cond_wait(&granted_, &mutex_);
  pthread_mutex_unlock(&mutex_);
}

void Forwarder::answer() {
  pthread_mutex_lock(&mutex_);
  asked_ = false;
  job_(job_data_);
  job_ = nullptr;
  pthread_cond_signal(&granted_);
  pthread_mutex_unlock(&mutex_);
}

void Forwarder::stop() {
  call([this] { stopped_ = true; });
}

Failure Forwarder::add(Forward& forward, Notify notify, void* owner, bool paused) {
  auto* member = new (std::nothrow) Member{&forward, notify, owner, paused, false, {{nullptr, 0}, {nullptr, 1}}};
  if (!member) return {ENOMEM, "new", nullptr};
  member->ends[0].member = member->ends[1].member = member;
  Failure failure;
  call([&] { failure = enter(*member); });
  if (failure) delete member;
  return failure;
}

void Forwarder::remove(Forward& forward) {
  call([&] {
    Member* member = find(forward);
    if (!member) return;
    leave(*member);
    members_.erase(std::find(members_.begin(), members_.end(), member));
    delete member;
  });
}

void Forwarder::set_paused(Forward& forward, bool paused) {
  call([&] {
    Member* member = find(forward);
    if (!member || member->over || member->paused == paused) return;
    member->paused = paused;
    for (End& end : member->ends) {
      watch(end);
      if (!paused) queue(end);
    }
  });
}

void Forwarder::observe(Forward& forward, ForwardObserver& observer, bool on) {
  call([&] {
    if (on)
      forward.add(&observer);
    else
      forward.remove(&observer);
  });
}

Forwarder::Member* Forwarder::find(Forward& forward) {
  for (Member* member : members_)
    if (member->forward == &forward) return member;
  return nullptr;
}

// Edges only: a port that nobody reads for now, and one that is about to go, would be told of without end.
Failure Forwarder::enter(Member& member) {
  for (End& end : member.ends) {
    epoll_event event = {};
    event.data.ptr = &end;
    event.events = end.interest = EPOLLIN | EPOLLPRI | EPOLLET;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, end.port().fd, &event) != 0) {
      Failure failure = Failure::last("epoll_ctl");
      if (end.index == 1) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, member.ends[0].port().fd, nullptr);
      return failure;
    }
  }
  members_.push_back(&member);
  for (End& end : member.ends) {
    if (member.paused) watch(end);
    queue(end);
  }
  return {};
}

void Forwarder::leave(Member& member) {
  if (member.over) return;
  member.over = true;
  for (End& end : member.ends) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, end.port().fd, nullptr);
    for (auto* list : {&runnable_, &next_}) std::replace(list->begin(), list->end(), &end, static_cast<End*>(nullptr));
    end.queued = false;
    sleepers_ -= (end.wakes != 0) + (end.looks != 0);
    end.wakes = end.looks = 0;
  }
  member.forward->abandon();
}

void Forwarder::queue(End& end) {
  if (end.queued || end.blocked || end.wakes || !end.ready || end.member->paused || end.member->over) return;
  end.queued = true;
  runnable_.push_back(&end);
}

void Forwarder::turn(End& end) {
  Member& member = *end.member;
  if (member.paused || member.over) return;
  switch (member.forward->move(end.index, *scratch_, now_)) {
    case Forward::Progress::kMore:
      queue(end);
      break;
    case Forward::Progress::kEmpty:
      end.ready = false;
      break;
    case Forward::Progress::kBlocked:
      end.blocked = true;
      watch(end);
      watch(member.ends[1 - end.index]);
      break;
    case Forward::Progress::kWaiting:
      end.wakes = member.forward->wakes(end.index);
      sleepers_++;
      watch(end);
      break;
    case Forward::Progress::kEnded:
      break;
  }
  settle(member);
}

// While nothing may be read from it, priority data, which our descriptors never have, stands for: only errors. The
// kernel tells of a removal as if there were something to read.
void Forwarder::watch(End& end) {
  const bool reads = !end.blocked && !end.wakes && !end.member->paused;
  const bool writes = end.member->ends[1 - end.index].blocked && !end.member->paused;
  epoll_event event = {};
  event.data.ptr = &end;
  event.events = EPOLLPRI | EPOLLET | (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
  if (event.events == end.interest || end.member->over) return;
  // What became ready meanwhile is told of anew.
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, end.port().fd, &event);
  end.interest = event.events;
}

int Forwarder::timeout() {
  if (sleepers_ == 0) return -1;
  uint64_t first = UINT64_MAX;
  for (const Member* member : members_)
    for (const End& end : member->ends)
      for (uint64_t at : {end.wakes, end.looks})
        if (at != 0 && at < first) first = at;
  const uint64_t now = now_ns();
  if (first <= now) return 0;
  const uint64_t milliseconds = (first - now + 999'999) / 1'000'000;
  return milliseconds > 3'600'000 ? 3'600'000 : static_cast<int>(milliseconds);
}

void Forwarder::wake_sleepers() {
  for (Member* member : members_) {
    for (End& end : member->ends) {
      if (end.wakes != 0 && end.wakes <= now_) {
        end.wakes = 0;
        sleepers_--;
        watch(end);
        queue(end);
      }
      if (end.looks != 0 && end.looks <= now_) {
        end.looks = 0;
        sleepers_--;
        heed(end, EPOLLERR);
      }
    }
  }
}

void Forwarder::heed(End& end, uint32_t events) {
  Member& member = *end.member;
  if (member.over) return;
  End& other = member.ends[1 - end.index];
  if (events & (EPOLLERR | EPOLLHUP)) {
    member.forward->check(end.index, (events & EPOLLHUP) != 0);
    settle(member);
    if (member.over) return;
    if (!end.port().ring && end.looks == 0) {
      end.looks = now_ns() + kLookAgain;
      sleepers_++;
    }
  }
  if (events & EPOLLOUT && other.blocked) {
    other.blocked = false;
    watch(end);
    watch(other);
    queue(other);
  }
  if (events & EPOLLIN) {
    end.ready = true;
    queue(end);
  }
}

void Forwarder::settle(Member& member) {
  if (member.forward->ended()) leave(member);
  if (member.forward->to_tell()) member.notify(member.owner);
}

}  // namespace netloom
