import CAvahi
import LinkLocal
import Logging

/// One announcement as an entry group of avahi-daemon, and the name it has got. On the Avahi thread only.
///
/// On a conflict, remote or on this machine, the next name of XEP-0174 §3 is tried. The name it ends up with is kept over
/// restarts of avahi-daemon (RFC 6762 §9), since peers know the device by it, and until its own name is free again: then that
/// is asked for, as `NameReclaim` says.
///
/// More than eight properties: the half of them is the state of one entry group, the others are whom it asks and tells.
final class Publication {
  private var wanted: Announcement
  private var name: InstanceName
  /// Whether it was established under this name; then what browsing tells of it can be our own echo.
  private var hasStood = false
  private var renames = 0
  /// How often a name was asked for again.
  private var requests = 0
  private var reclaim = NameReclaim()
  /// The name that it had while it asks for its own, to go back to.
  private var fallback: InstanceName?
  private var group: OpaquePointer?
  /// The group is empty until it is known whose the name is.
  private var isHeld = false
  private var scope: [AvahiIfIndex] = []
  private let report: EventReport
  private let logger: Logger
  private let availability: (InstanceName) -> Availability
  private let gaveUp: (InstanceName) -> Void
  private let failed: (String) -> Void

  init(
    _ announcement: Announcement, report: EventReport, logger: Logger,
    availability: @escaping (InstanceName) -> Availability, gaveUp: @escaping (InstanceName) -> Void,
    failed: @escaping (String) -> Void
  ) {
    wanted = announcement
    self.availability = availability
    self.gaveUp = gaveUp
    self.failed = failed
    name = announcement.name
    self.report = report
    self.logger = logger
  }

  /// Puts it on the link, unless it is there; that has to wait while it is not known whose its name is.
  func establish(_ client: OpaquePointer, _ scope: [AvahiIfIndex]) {
    guard group == nil else { return }
    self.scope = scope
    group = avahi_entry_group_new(
      client,
      { group, state, context in
        guard let group, let context else { return }
        Unmanaged<Publication>.fromOpaque(context).takeUnretainedValue().changed(to: state, of: group)
      }, Unmanaged.passUnretained(self).toOpaque())
    guard let group else { return ended(by: avahi_client_errno(client)) }
    register(in: group)
  }

  /// More is known of whose the names on the link are.
  func proceed() {
    if isHeld, let group { register(in: group) }
  }

  /// Asks for the device's own name, where it is time for that and nobody is seen to have it.
  func reclaimName(now: ContinuousClock.Instant) {
    guard let group, fallback == nil, let due = reclaim.due, due <= now else { return }
    guard case .free = availability(wanted.name) else { return reclaim.lost(now: now) }
    logger.notice("\(wanted.name) seems to be free again; \(name) asks for it")
    fallback = name
    (name, hasStood) = (wanted.name, false)
    register(in: group)
  }

  /// Takes it off the link, with a goodbye if there still is a connection.
  func remove() {
    if let group { avahi_entry_group_free(group) }
    group = nil
    isHeld = false
  }

  /// Another TXT record changes in place; another name or port needs `establish` afterwards.
  func update(_ announcement: Announcement) {
    let former = wanted
    wanted = announcement
    if former.name != announcement.name {
      name = announcement.name
      hasStood = false
      (renames, requests, reclaim, fallback) = (0, 0, NameReclaim(), nil)
    }
    if former.name != announcement.name || former.port != announcement.port {
      // A new group, since late news of the old one could be taken for news of this.
      remove()
    } else if former.record != announcement.record, let group, updateRecord(in: group) != 0 {
      remove()
    }
  }

  private func changed(to state: AvahiEntryGroupState, of group: OpaquePointer) {
    switch state {
    case AVAHI_ENTRY_GROUP_ESTABLISHED:
      hasStood = true
      fallback = nil
      if name == wanted.name { reclaim.held(now: .now) } else if reclaim.due == nil { reclaim.lost(now: .now) }
      report.yield(.announced(id: wanted.id, as: name))
    case AVAHI_ENTRY_GROUP_COLLISION:
      if asksAgain() || rename() { register(in: group) }
    case AVAHI_ENTRY_GROUP_FAILURE:
      ended(by: avahi_client_errno(avahi_entry_group_get_client(group)))
    default:
      break
    }
  }

  private func register(in group: OpaquePointer) {
    isHeld = false
    var result = add(to: group)
    while result == AVAHI_ERR_COLLISION, rename() {
      result = add(to: group)
    }
    if result == 0, !isHeld { result = avahi_entry_group_commit(group) }
    // `rename` has told of a collision itself.
    if result < 0, result != AVAHI_ERR_COLLISION { ended(by: result) }
  }

  private func add(to group: OpaquePointer) -> Int32 {
    avahi_entry_group_reset(group)
    switch hasStood ? .free : availability(name) {
    case .free: break
    case .taken: return Int32(AVAHI_ERR_COLLISION)
    case .unknown:
      isHeld = true
      return 0
    }
    return withStringList(wanted.record.encoded) { list in
      onEachInterface { interface in
        avahi_entry_group_add_service_strlst(
          group, interface, anyFamily, AvahiPublishFlags(0), name.text, serviceType, nil, nil,
          UInt16(wanted.port), list)
      }
    }
  }

  private func updateRecord(in group: OpaquePointer) -> Int32 {
    withStringList(wanted.record.encoded) { list in
      onEachInterface { interface in
        avahi_entry_group_update_service_txt_strlst(
          group, interface, anyFamily, AvahiPublishFlags(0), name.text, serviceType, nil, list)
      }
    }
  }

  /// Stops at the first error and returns it.
  private func onEachInterface(_ body: (AvahiIfIndex) -> Int32) -> Int32 {
    for interface in scope {
      let result = body(interface)
      if result < 0 { return result }
    }
    return 0
  }

  /// Two hosts that want a name at the same moment may both be refused it, and would go through all others in step. So
  /// whoever was refused a name that nobody is seen to have asks for it again, three times in four.
  private func asksAgain() -> Bool {
    guard !hasStood, fallback == nil, requests < LinkLocalLimits.nameRequests, case .free = availability(name) else {
      return false
    }
    requests += 1
    return Int.random(in: 0..<4) > 0
  }

  private func rename() -> Bool {
    if hasStood { gaveUp(name) }
    if let fallback {
      logger.notice("\(name) is taken still; \(fallback) goes on")
      (name, hasStood, self.fallback) = (fallback, true, nil)
      reclaim.lost(now: .now)
      return true
    }
    if name == wanted.name { (renames, requests) = (0, 0) }
    renames += 1
    guard renames <= LinkLocalLimits.renames, let next = wanted.name.alternative(renames) else {
      refused("\(wanted.name) and its alternatives are taken on this link; choose another name")
      return false
    }
    logger.notice("\(name) is taken on this link; trying \(next)")
    name = next
    hasStood = false
    return true
  }

  private func ended(by error: Int32) {
    if isBrokenConnection(error) { return failed(errorText(error)) }
    refused(error == AVAHI_ERR_NOT_PERMITTED ? AvahiConfiguration.refusal : errorText(error))
  }

  private func refused(_ reason: String) {
    report.yield(.refused(id: wanted.id, reason: reason))
  }
}
