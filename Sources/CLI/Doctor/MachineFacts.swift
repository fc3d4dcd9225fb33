import Avahi
import Control
import Daemon
import FoundationEssentials
import Front
import NIOPosix

/// What was found out about this machine and its node, and what that means: a check for each thing that has to be so for
/// devices to be seen and opened, in the order in which one rests on the others.
///
/// More than eight properties: one for each thing that was looked at.
struct MachineFacts {
  /// Of the daemon; nil where none answers.
  var status: StatusResource?
  /// Why none answers.
  var noDaemon = ""
  /// What would keep one from starting; looked for where none answers.
  var obstacles: [StartObstacle] = []
  /// Whether something listens at avahi-daemon's own socket.
  var isAvahiThere = false
  var avahi: AvahiConfiguration?
  var interfaces: [NetworkInterface] = []
  /// What a question for this node's own record came to, by the interface's name.
  var heard: [String: MulticastProbe.Outcome] = [:]
  /// Whether this node's port takes connections, by this machine's own address.
  var ownPort: [String: ConnectProbe.Outcome] = [:]
  /// Those that are gone included.
  var devices: [DeviceResource] = []
  var isLocalhostResolved = true

  static let avahiSocket = "/run/avahi-daemon/socket"

  func checks(now: Date) -> [Check] {
    obstacles.map(Self.check) + [
      daemon, discovery, publishing, interface, ownRecord, others(now: now), port, names, apps, localhostNames,
    ] + (status?.account.map { [Self.check($0)] + Self.friends($0) } ?? [])
  }

  private static func check(_ obstacle: StartObstacle) -> Check {
    let remedy = obstacle.kind == .port ? "stop it, or set port under [front] in hearth.toml" : nil
    return .failed(obstacle.kind.rawValue, "the daemon cannot start: \(obstacle.reason)", remedy: remedy)
  }

  /// How far it gets: DNS, TCP, TLS, login, resumption.
  private static func check(_ account: AccountResource) -> Check {
    let jid = account.jid ?? ""
    switch account.state {
    case .online:
      let login = [account.mechanism, account.binding.map { "bound by \($0)" }].compactMap { $0 }.joined(
        separator: ", ")
      let resumption = account.resumable ? "a broken connection is resumed" : "the server keeps no session (XEP-0198)"
      return .ok(
        "account", "\(jid) is online at \(account.server ?? "?") (\(account.tls ?? "?"), \(login)); \(resumption)")
    case .off: return .ok("account", "there is none")
    case .connecting, .waiting, .stopped:
      guard let problem = account.problem else { return .unknown("account", "\(jid) is being connected") }
      let step =
        switch problem.code {
        case "name": "DNS"
        case "unreachable": "TCP"
        case "tls", "certificate": "TLS"
        case "password", "mechanism", "forged", "unset": "login"
        default: "stream"
        }
      return .failed(
        "account", "\(jid) is offline (\(step)): \(problem.message)", remedy: "then: hearth account status")
    }
  }

  /// How far the way to each friend is there: its account, the way there, its key.
  private static func friends(_ account: AccountResource) -> [Check] {
    guard account.state == .online, account.relay else { return [] }
    let proxy =
      account.proxy.map { "by the server's proxy, \($0)" }
      ?? "in-band, as the server has no proxy that is known (XEP-0065)"
    return account.friends.map { friend in
      let who = "\(friend.petname) (\(friend.account))"
      switch friend.state {
      case .reached: return .ok("account of \(friend.petname)", "\(who) is reached \(proxy), with its key")
      case .offline:
        return .unknown(
          "account of \(friend.petname)", "\(who) is not online there",
          remedy: "there: hearth account status")
      case .online:
        return .failed(
          "account of \(friend.petname)", "\(who) is online, and not reached: \(friend.problem ?? "it is being asked")",
          remedy: "there: hearth doctor")
      }
    }
  }

  private var usable: [NetworkInterface] {
    interfaces.filter { $0.carriesMDNS && avahi?.uses($0.name) ?? true }
  }

  private var daemon: Check {
    guard let status else {
      return .failed("daemon", noDaemon, remedy: "systemctl start hearth, or hearth daemon")
    }
    return .ok("daemon", "hearth \(status.version) runs as \(status.jid)")
  }

  private var discovery: Check {
    let remedy = "systemctl start avahi-daemon (apt-get install avahi-daemon where there is none)"
    if let status {
      guard let problem = status.problem else { return .ok("avahi", "avahi-daemon announces and browses") }
      return .failed(
        "avahi", "no devices are seen or announced: \(isAvahiThere ? problem : "avahi-daemon is not running")",
        remedy: remedy)
    }
    guard isAvahiThere else { return .failed("avahi", "avahi-daemon does not answer", remedy: remedy) }
    return .ok("avahi", "avahi-daemon runs")
  }

  private var publishing: Check {
    if let line = avahi?.forbidding {
      return .failed(
        "publishing", "avahi-daemon announces nothing for programs: \(line) in \(AvahiConfiguration.path)",
        remedy: AvahiConfiguration.remedy)
    }
    // What the daemon was told counts as well: avahi-daemon may have another configuration than this one, or an older one.
    if let problem = status?.announcementProblem {
      return .failed("publishing", problem, remedy: "systemctl restart avahi-daemon")
    }
    guard avahi != nil else { return .unknown("publishing", "\(AvahiConfiguration.path) cannot be read") }
    return .ok("publishing", "avahi-daemon takes announcements")
  }

  private var interface: Check {
    guard usable.isEmpty else {
      let list = usable.map { "\($0.name) (\($0.addresses.map(\.text).joined(separator: ", ")))" }
      return .ok("interfaces", list.joined(separator: ", "))
    }
    let hidden = interfaces.filter { $0.carriesMDNS }.map(\.name)
    guard hidden.isEmpty else {
      return .failed(
        "interfaces", "\(AvahiConfiguration.path) leaves out \(hidden.joined(separator: ", "))",
        remedy: "look at allow-interfaces and deny-interfaces there")
    }
    return .failed(
      "interfaces", "no interface is up that has an address and multicast: this machine is on no network",
      remedy: "connect it, then look at: ip address")
  }

  private var ownRecord: Check {
    guard let status, status.problem == nil, status.announcementProblem == nil else {
      return .unknown("multicast", "asked for only while the daemon announces this node")
    }
    let silent = usable.filter { heard[$0.name] == .silence }.map(\.name)
    let unsent = usable.compactMap { interface -> String? in
      guard case .unsent(let reason)? = heard[interface.name] else { return nil }
      return "\(interface.name) (\(reason))"
    }
    if !silent.isEmpty {
      return .failed(
        "multicast",
        "no answer on UDP port 5353 at \(silent.joined(separator: ", ")), not even this machine's own: a firewall drops mDNS",
        remedy:
          "ufw allow 5353/udp, or firewall-cmd --permanent --add-service=mdns, or a rule of nftables that accepts "
          + "udp dport 5353")
    }
    if !unsent.isEmpty {
      return .failed(
        "multicast", "mDNS cannot be sent at \(unsent.joined(separator: ", "))",
        remedy: "look at: ip route; nft list ruleset")
    }
    guard !heard.isEmpty else { return .unknown("multicast", "there is no interface to ask on") }
    return .ok("multicast", "mDNS answers for \(status.jid)")
  }

  private func others(now: Date) -> Check {
    guard let status else { return .unknown("others", "only the daemon knows who else is here") }
    guard status.problem == nil else { return .unknown("others", "nobody is heard without avahi-daemon") }
    let others = devices.filter { $0.trust != "self" }
    let online = others.filter(\.online)
    if let latest = online.map(\.seen).max() {
      let nodes = Set(online.map { $0.node ?? $0.jid }).count
      return .ok(
        "others",
        "\(online.count == 1 ? "1 device" : "\(online.count) devices") of \(nodes == 1 ? "1 other node" : "\(nodes) other nodes"), "
          + "the last heard of \(Self.ago(latest, now))")
    }
    let remedy =
      "if others should be here: are they on the same network (no guest Wi-Fi, no client isolation), and does hearth doctor "
      + "find something there?"
    guard let latest = others.map(\.seen).max() else {
      return .unknown("others", "no other device has been heard of", remedy: remedy)
    }
    return .unknown(
      "others", "no other device is here now; the last was heard of \(Self.ago(latest, now))", remedy: remedy)
  }

  static func ago(_ time: Date, _ now: Date) -> String {
    let age = DeviceTable.age(now.timeIntervalSince(time))
    return age == "now" ? "just now" : age
  }

  private var port: Check {
    guard let status else { return .unknown("port", "only the daemon knows its port") }
    let closed = ownPort.filter { $0.value != .accepted }.keys.sorted()
    guard closed.isEmpty else {
      return .failed(
        "port", "TCP port \(status.port) of this machine does not answer at \(closed.joined(separator: ", "))",
        remedy: "a firewall here has to accept tcp dport \(status.port): ufw allow \(status.port)/tcp")
    }
    return .ok("port", "TCP port \(status.port) answers, as far as this machine can tell by itself")
  }

  /// A name that somebody else has on this link.
  private var names: Check {
    guard let status else { return .unknown("names", "only the daemon knows its names") }
    let pairs =
      [(status.wanted, Optional(status.jid))]
      + status.services.compactMap { service in
        service.wanted.map { ($0, service.jid) }
      }
    let taken = pairs.compactMap { wanted, jid -> String? in
      jid.flatMap { $0 == wanted ? nil : "\(wanted) (this one is \($0))" }
    }
    guard taken.isEmpty else {
      return .failed(
        "names", "another machine on this link has the name \(taken.joined(separator: ", "))",
        remedy:
          "friends reach it all the same, and it is taken back when it is free; or give one of the two another name: "
          + "machine under [node] in hearth.toml")
    }
    let refused = status.services.compactMap { service in service.problem.map { "\(service.name): \($0)" } }
    guard refused.isEmpty else { return .failed("names", "not announced: \(refused.joined(separator: "; "))") }
    return .ok("names", "everything has the name that it is meant to have")
  }

  private var apps: Check {
    guard let status else { return .unknown("apps", "only the daemon knows what it serves") }
    guard !status.services.isEmpty else { return .ok("apps", "nothing is served: see hearth serve --help") }
    let down = status.services.filter { $0.health.state == .down }
    guard down.isEmpty else {
      let list = down.map { "\($0.name) at \($0.target): \($0.health.reason ?? "down")" }
      return .failed("apps", list.joined(separator: "; "), remedy: "start the app, or hearth unserve \(down[0].name)")
    }
    return .ok("apps", status.services.map(\.name).joined(separator: ", "))
  }

  private var localhostNames: Check {
    guard let front = status?.front.flatMap(FrontAddress.init(dashboard:)) else {
      return .unknown("localhost", "no front for browsers runs")
    }
    guard !isLocalhostResolved else { return .ok("localhost", "every program resolves *.\(FrontAddress.zone)") }
    return .unknown("localhost", LocalNames.advice(front))
  }
}

// MARK: - Finding out

extension MachineFacts {
  /// Looks at everything, which takes up to some seconds.
  static func gather(_ client: ControlClient) async -> MachineFacts {
    var facts = MachineFacts()
    facts.interfaces = NetworkInterface.all
    facts.avahi = AvahiConfiguration.current
    facts.isAvahiThere = await ConnectProbe.isListening(at: avahiSocket)
    async let isResolved = LocalNames.areResolved()
    do {
      facts.status = try await client.status()
      facts.devices = try await client.devices(all: true)
    } catch {
      facts.noDaemon = CommandFailure(describing: error).message
      facts.obstacles = obstacles(Places.current)
    }
    if let status = facts.status {
      facts.heard = await ask(status, facts.usable)
      facts.ownPort = await connect(status.port, facts.usable)
    }
    facts.isLocalhostResolved = await isResolved
    return facts
  }

  private static func obstacles(_ places: Places) -> [StartObstacle] {
    let file = places.configuration
    let folders = Set([Places.systemState, try? places.state].compactMap { $0 }).sorted()
    return StartObstacle.all(file: file, trusted: places.trusted(beside: file), folders: folders)
  }

  private static func ask(
    _ status: StatusResource, _ interfaces: [NetworkInterface]
  ) async -> [String: MulticastProbe.Outcome] {
    guard status.problem == nil else { return [:] }
    return await withTaskGroup(of: (String, MulticastProbe.Outcome)?.self) { group in
      for interface in interfaces {
        group.addTask {
          // It blocks.
          let outcome = try? await NIOThreadPool.singleton.runIfActive { MulticastProbe.ask(status.jid, on: interface) }
          return outcome.map { (interface.name, $0) }
        }
      }
      return await group.reduce(into: [:]) { if let (name, outcome) = $1 { $0[name] = outcome } }
    }
  }

  private static func connect(_ port: Int, _ interfaces: [NetworkInterface]) async -> [String: ConnectProbe.Outcome] {
    await withTaskGroup(of: (String, ConnectProbe.Outcome).self) { group in
      for interface in interfaces {
        for address in interface.addresses {
          group.addTask {
            (address.text, await ConnectProbe.connect(to: address.text, port: port, scope: interface.name))
          }
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }
}
