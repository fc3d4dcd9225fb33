import CAvahi
import LinkLocal
import Logging

/// Keeps the announcements on the link in step with those that are wanted. On the Avahi thread only.
final class Publisher {
  /// Called when the connection to avahi-daemon turns out to be broken.
  var failed: (String) -> Void = { _ in }

  /// Tells whether a name may be announced.
  var availability: (InstanceName) -> Availability = { _ in .free }

  /// Called when a name that stood is somebody else's.
  var gaveUp: (InstanceName) -> Void = { _ in }

  private var publications: [String: Publication] = [:]
  /// Set while avahi-daemon can take announcements.
  private var place: (client: OpaquePointer, scope: [AvahiIfIndex])?
  private let report: EventReport
  private let logger: Logger

  init(report: EventReport, logger: Logger) {
    self.report = report
    self.logger = logger
  }

  func start(_ client: OpaquePointer, _ scope: [AvahiIfIndex]) {
    place = (client, scope)
    for publication in publications.values { publication.establish(client, scope) }
  }

  /// More is known of whose the names on the link are.
  func proceed() {
    for publication in publications.values { publication.proceed() }
  }

  /// Asks for the names that were somebody else's, where it is time for that.
  func reclaimNames(now: ContinuousClock.Instant) {
    for publication in publications.values { publication.reclaimName(now: now) }
  }

  /// Leaves everything as it is: there is nobody to talk to.
  func pause() {
    place = nil
  }

  /// Says goodbye where somebody can still pass it on.
  func stop() {
    place = nil
    for publication in publications.values { publication.remove() }
  }

  func reconcile(_ wanted: [String: Announcement]) {
    for (id, publication) in publications where wanted[id] == nil {
      publication.remove()
      publications[id] = nil
    }
    for (id, announcement) in wanted {
      guard let publication = publications[id] else {
        let publication = make(announcement)
        publications[id] = publication
        if let place { publication.establish(place.client, place.scope) }
        continue
      }
      publication.update(announcement)
      if let place { publication.establish(place.client, place.scope) }
    }
  }

  private func make(_ announcement: Announcement) -> Publication {
    Publication(
      announcement, report: report, logger: logger, availability: { [unowned self] in availability($0) },
      gaveUp: { [unowned self] in gaveUp($0) }, failed: { [unowned self] in failed($0) })
  }
}
