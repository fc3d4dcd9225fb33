import CAvahi
import Glibc

/// Owns the thread on which libavahi does its input and output and makes all its callbacks.
///
/// Watches and the retry timer have to be set up before `start` or on the thread itself.
final class AvahiThread {
  private let poll: OpaquePointer
  let api: UnsafePointer<AvahiPoll>

  init?() {
    guard let poll = avahi_threaded_poll_new(), let api = avahi_threaded_poll_get(poll) else { return nil }
    self.poll = poll
    self.api = api
  }

  func start() -> Bool {
    avahi_threaded_poll_start(poll) == 0
  }

  /// On the thread: what runs now is the last that runs there.
  func quit() {
    avahi_threaded_poll_quit(poll)
  }

  /// Elsewhere, after `quit`: takes the microseconds that the thread needs to end. Frees everything.
  func join() {
    avahi_threaded_poll_free(poll)
  }
}

/// Calls `handler` on the Avahi thread whenever a counter of the kernel (eventfd, timerfd) becomes readable.
final class CounterWatch {
  private let descriptor: Int32
  private let handler: () -> Void

  init(_ descriptor: Int32, on thread: AvahiThread, handler: @escaping () -> Void) {
    self.descriptor = descriptor
    self.handler = handler
    // The thread frees the watch when it is joined, and calls nothing after `quit`.
    _ = thread.api.pointee.watch_new(
      thread.api, descriptor, AVAHI_WATCH_IN,
      { _, _, _, context in
        Unmanaged<CounterWatch>.fromOpaque(context!).takeUnretainedValue().fired()
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func fired() {
    var count: UInt64 = 0
    guard read(descriptor, &count, MemoryLayout<UInt64>.size) > 0 else { return }
    handler()
  }
}

/// A single timer on the Avahi thread, on the monotonic clock: Avahi's own timers follow the wall clock, and boards
/// without a battery set theirs back and forth.
final class TimerFD {
  private let descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
  private var watch: CounterWatch?

  init(on thread: AvahiThread, handler: @escaping () -> Void) {
    watch = CounterWatch(descriptor, on: thread, handler: handler)
  }

  deinit { close(descriptor) }

  /// Replaces the time that was set before.
  func set(_ delay: Duration) {
    let (seconds, attoseconds) = delay.components
    var time = itimerspec()
    time.it_value = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    timerfd_settime(descriptor, 0, &time, nil)
  }
}
