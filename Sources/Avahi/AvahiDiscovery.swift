import CAvahi
import Dispatch
package import LinkLocal
package import Logging

/// Announces and discovers devices through the machine's avahi-daemon, over D-Bus.
///
/// It outlives restarts of avahi-daemon and of D-Bus: `.unavailable` tells of the one, `.available` of the return, with
/// all announcements made again. Without announcements it only browses.
///
/// Everything of libavahi happens on one thread, which `run` starts and ends. Other threads leave what they want in
/// `DesiredAnnouncements` and ring its eventFD, so that no caller ever waits for D-Bus.
package final class AvahiDiscovery: Discovery {
  package let source = DiscoverySource.link
  package var events: AsyncStream<DiscoveryEvent> { report.events }
  private let report: EventReport
  private let desired: DesiredAnnouncements
  private let interfaces: [String]
  private let logger: Logger

  /// - Parameter interfaces: names of those to announce and browse on; all that avahi-daemon uses when there are none.
  package init(interfaces: [String] = [], logger: Logger) {
    let desired = DesiredAnnouncements()
    self.desired = desired
    report = EventReport { desired.lostEvents() }
    self.interfaces = interfaces
    self.logger = logger
  }

  /// What avahi-daemon calls this machine, without `.local`; nil until it was reached. It differs from the machine's own
  /// name when another one on the link has that.
  package var hostName: String? { desired.hostName }

  package func announce(_ announcement: Announcement) {
    desired.announce(announcement)
  }

  package func withdraw(id: String) {
    desired.withdraw(id: id)
  }

  package func resolve(_ name: InstanceName) {
    // Not by the Avahi thread: that may be waiting for an avahi-daemon that has much to do.
    if desired.resolve(name) { report.yield(.resolved(name)) }
  }

  /// Works until cancelled; says goodbye within 2 s. To be called once.
  package func run() async {
    defer { report.finish() }
    let ended = Completion()
    guard let thread = AvahiThread() else {
      report.yield(.unavailable(reason: "no thread for Avahi could be started"))
      return
    }
    let session = AvahiSession(
      thread: thread, desired: desired, interfaces: interfaces, report: report, logger: logger, ended: ended)
    // libavahi holds pointers to the session until its thread has ended, which may be after this function has.
    let retained = Unmanaged.passRetained(session)
    guard session.start() else {
      retained.release()
      report.yield(.unavailable(reason: "no thread for Avahi could be started"))
      return
    }
    let desired = desired
    let end = await withTaskCancellationHandler {
      await ended.wait()
    } onCancel: {
      desired.stop()
      DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(AvahiLimits.goodbye.components.seconds))) {
        ended.open(.gaveUp)
      }
    }
    switch end {
    case .done:
      thread.join()
      retained.release()
    case .gaveUp:
      logger.warning("avahi-daemon does not answer; other machines may list this one's devices for a while")
    }
  }
}
