import Codecs
import Control
import FoundationEssentials
import HTTPTypes
import HTTPX
import XMPP

/// What was found out about the way to a device, and what that means.
struct DeviceFacts {
  /// As it was asked for.
  let name: String
  /// As the daemon lists it; nil where it does not.
  var device: DeviceResource?
  /// Which one may have been meant, where it lists none.
  var question: String?
  /// What a connection came to, by address.
  var connections: [(address: DeviceResource.Address, outcome: ConnectProbe.Outcome)] = []
  /// What its node says of the way, from its end; nil where it was not asked: only friends are told.
  var report: ReportResource?
  /// What a request came to.
  var answer: Answer?

  enum Answer {
    /// The device's node or its app has answered with this status.
    case status(Int)
    /// This node had no answer of it.
    case failed(CommandFailure)
    /// Its node has answered, and its app has not.
    case appFailed(CommandFailure)
  }

  /// In the order in which one rests on the others; those behind the first that fails are left out, as they would say the same.
  func checks(interfaces: [NetworkInterface], now: Date) -> [Check] {
    var checks: [Check] = []
    for check in [listed(now: now), subnet(interfaces), connection, friendship] + otherEnd(now: now) + [request] {
      guard let check else { continue }
      checks.append(check)
      if check.result == .failed { break }
    }
    return checks
  }

  private func listed(now: Date) -> Check {
    guard let device else {
      return .failed(
        "device", "no device “\(name)” is listed, nor was lately",
        remedy: (question.map { $0 + " " } ?? "")
          + "hearth devices lists those that are; is its node running, and on this network?")
    }
    switch device.state {
    case .online where device.trust == "CHANGED" || device.trust == "blocked":
      return .failed(
        "device", "\(device.jid) is not let in: \(device.problem ?? device.trust ?? "")",
        remedy: device.trust == "blocked"
          ? "hearth friends unblock \(device.node ?? "")" : "ask its owner whether it has a new key")
    case .online where device.via != DeviceResource.onLink:
      return .ok(
        "device", "\(device.jid) is not on this network, and its node lists it over \(device.via)")
    case .away where device.via != DeviceResource.onLink:
      return .failed(
        "device", "\(device.jid) is not on this network, and does not answer over \(device.via)",
        remedy: "hearth account status says how far the way to its node is")
    case .online:
      return .ok("device", "\(device.jid) is announced, last heard of \(MachineFacts.ago(device.seen, now))")
    case .away where !device.addresses.isEmpty:
      return .unknown(
        "device", "\(device.jid) is listed, and did not answer; last heard of \(MachineFacts.ago(device.seen, now))")
    case .away:
      return .failed(
        "device",
        "\(device.jid) is listed, and nobody tells where it is; last heard of \(MachineFacts.ago(device.seen, now))",
        remedy: "is it switched on? mDNS lists what vanished without a word for up to 75 minutes")
    case .gone:
      return .failed(
        "device", "\(device.jid) has left the network \(MachineFacts.ago(device.seen, now))",
        remedy: "is it switched on, and its node running?")
    }
  }

  private func subnet(_ interfaces: [NetworkInterface]) -> Check? {
    guard let device, device.trust != "self", !device.addresses.isEmpty else { return nil }
    let list = device.addresses.map { "\($0.address) (\($0.interface))" }.joined(separator: ", ")
    let isNear = device.addresses.contains { address in
      guard let bytes = IPAddress.bytes(address.address) else { return false }
      return interfaces.contains { $0.name == address.interface && $0.addresses.contains { $0.reaches(bytes) } }
    }
    guard !isNear else { return .ok("addresses", list) }
    let own = interfaces.filter(\.carriesMDNS).flatMap(\.addresses).map { "\($0.text)/\($0.prefix)" }
    // With a router between the two it may work all the same.
    let message = "\(list): on none of this machine's subnets (\(own.joined(separator: ", ")))"
    let isReached = connections.contains { $0.outcome == .accepted || $0.outcome == .refused }
    return isReached
      ? .unknown("addresses", message)
      : .failed(
        "addresses", message,
        remedy: "give both machines addresses of one subnet: look at their DHCP server, and at ip address")
  }

  private var connection: Check? {
    guard let device, device.trust != "self", !connections.isEmpty else { return nil }
    if let open = connections.first(where: { $0.outcome == .accepted }) {
      return .ok("port", "TCP port \(open.address.port) answers at \(open.address.address)")
    }
    let list = connections.map { "\($0.address.address): \(Self.words($0.outcome))" }.joined(separator: ", ")
    let port = connections[0].address.port
    if connections.contains(where: { $0.outcome == .refused }) {
      return .failed(
        "port", "the machine of \(device.jid) is there, and nothing listens on its TCP port \(port) (\(list))",
        remedy: "start hearth there: systemctl start hearth")
    }
    if connections.contains(where: { $0.outcome == .silence }) {
      return .failed(
        "port",
        "TCP port \(port) of \(device.jid) is silent (\(list)): a firewall there drops it, or the machine is off",
        remedy: "there: ufw allow \(port)/tcp, or firewall-cmd --permanent --add-port=\(port)/tcp")
    }
    return .failed("port", "there is no way to \(device.jid) (\(list))", remedy: "look at: ip route")
  }

  private static func words(_ outcome: ConnectProbe.Outcome) -> String {
    switch outcome {
    case .accepted: "answers"
    case .refused: "refused"
    case .silence: "no answer"
    case .unreachable(let reason): reason
    }
  }

  /// Whether both sides know of it: one may have removed the other, or lost what it knew.
  private var friendship: Check? {
    guard let device, let report else { return nil }
    switch report.outcome {
    case .told: return .ok("friendship", "the node of \(device.jid) and this one are friends, on both sides")
    case .notTold: return .unknown("friendship", "the node of \(device.jid) does not tell what it sees from its end")
    case .notFriends:
      return .failed(
        "friendship", "one-sided: the node of \(device.jid) does not know this one as a friend, or not any more",
        remedy: "hearth befriend \(device.jid) --request, and there: hearth requests")
    }
  }

  /// What its node says of itself and of the app.
  private func otherEnd(now: Date) -> [Check?] {
    guard let device, let report, report.outcome == .told else { return [] }
    return [version(report), clock(report, now), access(device, report), app(device, report)]
  }

  private func version(_ report: ReportResource) -> Check? {
    guard let version = report.version, let address = report.address else { return nil }
    return .ok("there", "hearth \(version), which sees this machine at \(address)")
  }

  /// Invites are good for minutes, and apps trust the date.
  private func clock(_ report: ReportResource, _ now: Date) -> Check? {
    guard let time = report.time else { return nil }
    let seconds = time.timeIntervalSince(now)
    guard abs(seconds) > CLILimits.clockDifference else { return .ok("clock", "both clocks agree") }
    let difference = "\(DeviceTable.span(abs(seconds))) \(seconds < 0 ? "behind" : "ahead of")"
    return .unknown(
      "clock", "the clock there is \(difference) this machine’s",
      remedy: "on the one that is wrong: timedatectl set-ntp true")
  }

  private func access(_ device: DeviceResource, _ report: ReportResource) -> Check? {
    switch report.open {
    case true?: return .ok("access", "\(device.jid) is open to this machine")
    case false?:
      return .failed(
        "access", "\(device.jid) is not open to this machine", remedy: "there: hearth serve … --access friends")
    case nil:
      return .failed(
        "access", "\(device.jid) serves no HTTP", remedy: "there: hearth serve \(device.jid.prefix { $0 != "@" }) …")
    }
  }

  private func app(_ device: DeviceResource, _ report: ReportResource) -> Check? {
    guard report.app == "down" else { return nil }
    return .failed(
      "app", "the app of \(device.jid) does not answer its node: \(report.reason ?? "no reason is told")",
      remedy: "start it on its own machine, where hearth doctor says more")
  }

  private var request: Check? {
    guard let device, let answer else { return nil }
    switch answer {
    case .status(let status):
      return .ok("request", "\(device.jid) answers: its key is the right one, and status \(status) came back")
    case .appFailed(let failure):
      return .failed("app", failure.message, remedy: "start it on its own machine, where hearth doctor says more")
    case .failed(let failure):
      let check = [.wrongKey: "key", .insecure: "key", .denied: "access", .noApp: "http"][failure.status] ?? "request"
      return .failed(check, failure.message, remedy: remedy(failure.status, device))
    }
  }

  private func remedy(_ status: CommandStatus, _ device: DeviceResource) -> String? {
    switch status {
    case .denied: "hearth befriend \(device.jid), or ask its owner: hearth serve … --access there"
    case .wrongKey: "ask its owner whether it has a new key; if not, somebody pretends to be it"
    default: nil
    }
  }
}

// MARK: - Finding out

extension DeviceFacts {
  static func gather(_ name: String, _ jid: JID, _ devices: [DeviceResource], _ client: ControlClient) async
    -> DeviceFacts
  {
    var facts = DeviceFacts(name: name)
    facts.device = devices.first { JID(bare: $0.jid) == jid }
    guard let device = facts.device else {
      facts.question = DeviceAddress.question(jid.text, devices)
      return facts
    }
    if device.trust != "self" {
      facts.connections = await withTaskGroup(of: (Int, ConnectProbe.Outcome).self) { group in
        for (place, address) in device.addresses.enumerated() {
          group.addTask {
            (place, await ConnectProbe.connect(to: address.address, port: address.port, scope: address.interface))
          }
        }
        let outcomes = await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        return device.addresses.enumerated().compactMap { place, address in outcomes[place].map { (address, $0) } }
      }
    }
    facts.answer = await ask(device, client)
    // Behind the request, by which its node has learned how its app is. Where nothing listens, there is nobody to tell.
    let isReached = facts.connections.contains { $0.outcome == .accepted }
    if device.trust == "friend", isReached { facts.report = try? await client.report(of: device.jid) }
    return facts
  }

  private static func ask(_ device: DeviceResource, _ client: ControlClient) async -> Answer? {
    let address = HTTPXURI(jid: JID(bare: device.jid)!).description
    let head = HTTPRequest(method: .head, scheme: "http", authority: "localhost", path: address)
    return await Deadline.run(CLILimits.doctorRequest) {
      do {
        return try await client.fetch(head) { response, _ -> Answer in
          if let failure = ProxyFailure.of(response, device: device.jid) { return .failed(failure) }
          if let failure = ProxyFailure.ofApp(response, device: address) { return .appFailed(failure) }
          return .status(response.status.code)
        }
      } catch {
        return .failed(CommandFailure(describing: error))
      }
    } ?? .failed(CommandFailure(.timedOut, "\(device.jid) gave no answer within \(CLILimits.doctorRequest)"))
  }
}
