import CAvahi
import Glibc
import LinkLocal
import Logging

/// The connection to avahi-daemon, made again whenever it breaks. Everything here happens on the Avahi thread.
///
/// A client object is dead for good once D-Bus or the daemon has gone: it is freed with all that hangs on it, and a new
/// one is made after a pause. While only the daemon is missing, libavahi itself waits for it, without a pause.
///
/// More than eight properties, as libavahi's callbacks get one object as their context, and this is it.
final class AvahiSession {
  private let thread: AvahiThread
  private let desired: DesiredAnnouncements
  private let interfaceNames: [String]
  private let report: EventReport
  private let logger: Logger
  private let ended: Completion

  private let publisher: Publisher
  private let browsing: Browsing
  private var watch: CounterWatch?
  private var timer: TimerFD?
  private var nameTimer: TimerFD?

  private enum Life {
    case new
    /// `avahi_client_new` runs, and has called back with this state already, from within.
    case connecting(told: AvahiClientState?)
    case connected(OpaquePointer, Health)
    case disconnected
    case ended
  }
  private enum Health { case waitingForDaemon, up, dead }
  private var life = Life.new
  /// The host has its name, and avahi-daemon takes announcements.
  private var isRunning = false
  /// Browsing has told what avahi-daemon knew.
  private var isCaughtUp = false
  /// What was reported last, so that it is reported once.
  private var problem: String?
  private var retry = AvahiLimits.firstRetry
  /// Kernel indexes of the interfaces to use; `AVAHI_IF_UNSPEC` alone for all.
  private var scope: [AvahiIfIndex] = []

  init(
    thread: AvahiThread, desired: DesiredAnnouncements, interfaces: [String],
    report: EventReport,
    logger: Logger, ended: Completion
  ) {
    self.thread = thread
    self.desired = desired
    self.interfaceNames = interfaces
    self.report = report
    self.logger = logger
    self.ended = ended
    publisher = Publisher(report: report, logger: logger)
    browsing = Browsing(report: report, logger: logger)
  }

  /// The first ring of the eventFD connects.
  func start() -> Bool {
    watch = CounterWatch(desired.eventFD.descriptor, on: thread) { [unowned self] in wishesChanged() }
    timer = TimerFD(on: thread) { [unowned self] in timerFired() }
    nameTimer = TimerFD(on: thread) { [unowned self] in reclaimNames() }
    nameTimer?.set(AvahiLimits.nameCheck)
    publisher.failed = { [unowned self] reason in failed(reason) }
    publisher.availability = { [unowned self] name in browsing.availability(of: name) }
    publisher.gaveUp = { [unowned self] name in browsing.gaveUp(name) }
    browsing.ownHost = { [unowned self] in ownHost }
    browsing.learned = { [unowned self] in publisher.proceed() }
    browsing.caughtUp = { [unowned self] in
      isCaughtUp = true
      publish()
    }
    browsing.failed = { [unowned self] reason in failed(reason) }
    browsing.keepsFresh = { [unowned self] names in desired.keepsFresh(names) }
    browsing.turns = TimerFD(on: thread) { [unowned self] in browsing.turn() }
    desired.eventFD.signal()
    return thread.start()
  }

  private func wishesChanged() {
    if case .ended = life { return }
    guard !desired.isStopped else { return end() }
    if desired.takeLoss() { failed("more happens on the link than could be read") }
    publisher.reconcile(desired.announcements)
    for name in desired.takeWanted() { browsing.want(name) }
    if case .new = life { connect() }
  }

  private func end() {
    disconnect()
    life = .ended
    thread.quit()
    ended.open(.done)
  }

  // MARK: Connecting

  private func connect() {
    scope = interfaceNames.isEmpty ? [AvahiIfIndex(AVAHI_IF_UNSPEC)] : presentInterfaces()
    guard !scope.isEmpty else {
      return failed("there is no interface \(interfaceNames.joined(separator: ", "))")
    }
    (isRunning, isCaughtUp) = (false, false)
    life = .connecting(told: nil)
    var error: Int32 = 0
    let client = avahi_client_new(
      thread.api, AVAHI_CLIENT_NO_FAIL,
      { client, state, context in
        guard let context else { return }
        Unmanaged<AvahiSession>.fromOpaque(context).takeUnretainedValue().changed(to: state)
      }, Unmanaged.passUnretained(self).toOpaque(), &error)
    guard let client else { return failed("no D-Bus with avahi-daemon: \(errorText(error))") }
    guard case .connecting(let told) = life else { return }
    life = .connected(client, .waitingForDaemon)
    if let told { changed(to: told) }
  }

  private func reconnect() {
    disconnect()
    connect()
  }

  private func disconnect() {
    // Goodbyes first and each confirmed by the daemon; the rest it clears away when the connection closes.
    publisher.stop()
    browsing.stop()
    if case .connected(let client, _) = life { avahi_client_free(client) }
    life = .disconnected
  }

  private func changed(to state: AvahiClientState) {
    if case .connecting = life {
      life = .connecting(told: state)
      return
    }
    guard case .connected(let client, let health) = life, health != .dead else { return }
    switch state {
    case AVAHI_CLIENT_S_RUNNING:
      isUp(client)
      if let host = avahi_client_get_host_name(client) { desired.reached(host: String(cString: host)) }
      isRunning = true
      publish()
    case AVAHI_CLIENT_S_REGISTERING, AVAHI_CLIENT_S_COLLISION:
      // The host gets another name: what was announced points to the old one, and is announced again later.
      isUp(client)
      isRunning = false
      publisher.stop()
    case AVAHI_CLIENT_CONNECTING:
      unavailable("avahi-daemon is not running; start it with: systemctl start avahi-daemon")
    default:
      failed(lastError(of: client))
    }
  }

  /// Not before it is known who is there. Avahi notices too late that a name is taken when it knew that before: its
  /// probes then say so, the holder keeps silent as if all were well (RFC 6762 §7.1), and loses its name.
  private func publish() {
    guard case .connected(let client, .up) = life, isRunning, isCaughtUp else { return }
    publisher.start(client, scope)
  }

  private func reclaimNames() {
    nameTimer?.set(AvahiLimits.nameCheck)
    guard case .connected(_, .up) = life, isRunning, isCaughtUp else { return }
    publisher.reclaimNames(now: .now)
  }

  /// With its domain, as others see it; empty while there is no client.
  private var ownHost: String {
    guard case .connected(let client, _) = life, let host = avahi_client_get_host_name_fqdn(client) else { return "" }
    return String(cString: host)
  }

  private func isUp(_ client: OpaquePointer) {
    guard case .connected(_, .waitingForDaemon) = life else { return }
    life = .connected(client, .up)
    retry = AvahiLimits.firstRetry
    problem = nil
    logger.info("connected to avahi-daemon")
    report.yield(.available)
    browsing.start(client, scope)
    if !interfaceNames.isEmpty { timer?.set(AvahiLimits.interfaceCheck) }
  }

  // MARK: Failing

  /// Nothing is freed here: libavahi may be in the middle of a callback of the very object.
  private func failed(_ reason: String) {
    switch life {
    case .connected(_, .dead), .ended: return
    case .connected(let client, _): life = .connected(client, .dead)
    case .new, .connecting, .disconnected: life = .disconnected
    }
    publisher.pause()
    browsing.pause()
    unavailable(reason)
    timer?.set(retry)
    retry = min(retry * 2, AvahiLimits.longestRetry)
  }

  private func unavailable(_ reason: String) {
    guard problem != reason else { return }
    problem = reason
    report.yield(.unavailable(reason: reason))
  }

  private func timerFired() {
    switch life {
    case .connected(_, .up):
      if scope == presentInterfaces() {
        timer?.set(AvahiLimits.interfaceCheck)
      } else {
        logger.info("the interfaces to use have changed")
        reconnect()
      }
    case .connected(_, .dead), .disconnected:
      reconnect()
    case .connected(_, .waitingForDaemon), .new, .connecting, .ended:
      break
    }
  }

  private func presentInterfaces() -> [AvahiIfIndex] {
    interfaceNames.map { AvahiIfIndex(if_nametoindex($0)) }.filter { $0 > 0 }
  }
}
