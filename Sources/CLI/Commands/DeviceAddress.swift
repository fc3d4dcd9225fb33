import Codecs
import Control
import Front
import HTTPX
import XMPP

/// How a user names a device or something on it: an `httpx` URI, `thermostat@pi/path`, the address that browsers have for it,
/// or `thermostat/path` in short.
struct DeviceAddress: Hashable {
  /// Where it is no address yet, `jid` is the name that was typed.
  let uri: HTTPXURI
  let form: Form

  enum Form {
    case address
    /// Of an origin of the front's.
    case label
    /// What somebody calls a device, or its machine.
    case short
  }

  /// For `--help`.
  static let help = "httpx://user@machine/path, user@machine/path, or in short what one device is called."

  /// Throws `CommandFailure` where it can be none of these.
  static func parse(_ text: String) throws(CommandFailure) -> DeviceAddress {
    if let (label, target) = browserAddress(text) { return try parse(label: label, target: target, of: text) }
    let isURI = text.prefix { $0 != "/" }.last == ":"
    let uri = try self.uri(isURI ? text : "httpx://\(text)")
    guard !uri.jid.domainpart.isEmpty, uri.jid.localpart != "" else {
      throw CommandFailure(.usage, "“\(text)” is no address of a device: write user@machine, as in thermostat@pi")
    }
    return DeviceAddress(uri: uri, form: uri.jid.localpart == nil ? .short : .address)
  }

  private static func uri(_ text: String) throws(CommandFailure) -> HTTPXURI {
    do throws(HTTPXError) {
      return try HTTPXURI(text)
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }

  /// `thermostat--pi` and `/path` of `http://thermostat--pi.localhost:8332/path`, at whatever port; nil for anything else.
  private static func browserAddress(_ text: String) -> (label: String, target: Substring)? {
    let scheme = "http://"
    guard text.asciiLowercased.hasPrefix(scheme) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    let host = String(authority.prefix { $0 != ":" }).asciiLowercased
    return FrontAddress.label(ofHost: host).map { ($0, rest[authority.endIndex...]) }
  }

  private static func parse(label: String, target: Substring, of text: String) throws(CommandFailure) -> DeviceAddress {
    guard label != FrontAddress.dashboardLabel else {
      throw CommandFailure(.usage, "“\(text)” is the list of devices, and no device: see `hearth devices`")
    }
    let jid = DeviceLabel.jid(ofLabel: label)
    let path = try uri("httpx://\(label)\(target)")
    guard let name = jid ?? JID(bare: label) else {
      throw CommandFailure(.usage, "“\(text)” is no address of a device: see `hearth devices`")
    }
    return DeviceAddress(
      uri: HTTPXURI(jid: name, path: path.path, fragment: path.fragment), form: jid == nil ? .label : .address)
  }
}

extension DeviceAddress {
  /// What the device is wanted for.
  enum Purpose {
    /// A machine's name stands for the device there that has pages.
    case pages
    /// It stands for any device of the machine, as friendship is one of nodes.
    case node
  }

  /// The URI that is meant, for which the daemon is asked where that was said in short. Throws `CommandFailure`, where nobody
  /// or more than one is meant, and `ControlError`.
  func resolved(by client: ControlClient, for purpose: Purpose = .pages) async throws -> HTTPXURI {
    guard form != .address else { return uri }
    return try resolved(among: try await client.devices(all: true), for: purpose)
  }

  func resolved(among devices: [DeviceResource], for purpose: Purpose = .pages) throws(CommandFailure) -> HTTPXURI {
    guard form != .address else { return uri }
    let meant = meant(among: devices, for: purpose)
    guard let device = meant.first, let jid = JID(bare: device.jid) else { throw Self.unknown(uri.jid.text, devices) }
    guard meant.count == 1 else {
      let names = meant.map { Printable.clean($0.jid) }.joined(separator: ", ")
      throw CommandFailure(.usage, "“\(uri.jid)” may be any of these, so write one of them: \(names)")
    }
    return HTTPXURI(jid: jid, path: uri.path, fragment: uri.fragment)
  }

  private func meant(among devices: [DeviceResource], for purpose: Purpose) -> [DeviceResource] {
    let name = uri.jid.text.asciiLowercased
    let addressed = devices.compactMap { device in JID(bare: device.jid).map { (device, $0) } }
    if form == .label { return addressed.filter { DeviceLabel.label(of: $0.1) == name }.map(\.0) }
    let ways: [((DeviceResource, JID)) -> Bool] = [
      { $0.1.text.asciiLowercased == name }, { $0.1.localpart?.asciiLowercased == name },
      // A title is what anyone chooses.
      { $0.0.isTrusted && $0.0.name.asciiLowercased == name },
      {
        (purpose == .node || $0.0.http != false)
          && ($0.0.petname?.asciiLowercased == name || $0.1.domainpart.asciiLowercased == name)
      },
    ]
    let meant = ways.lazy.map { addressed.filter($0).map(\.0) }.first { !$0.isEmpty } ?? []
    return Self.preferred(meant, for: purpose)
  }

  /// Whoever is on the link can call a device as they like: those of friends, and this node's own, come before others.
  private static func preferred(_ devices: [DeviceResource], for purpose: Purpose) -> [DeviceResource] {
    let trusted = devices.filter(\.isTrusted)
    let known = trusted.isEmpty ? devices : trusted
    let online = known.filter(\.online)
    let present = online.isEmpty ? known : online
    let isOneNode = purpose == .node && present.allSatisfy { $0.node != nil && $0.node == present.first?.node }
    return isOneNode ? Array(present.prefix(1)) : present
  }

  /// Nobody has this name, or address.
  static func unknown(_ name: String, _ devices: [DeviceResource]) -> CommandFailure {
    let question = question(name, devices).map { ": \($0) See" } ?? ": see"
    return CommandFailure(
      .notDiscovered, "no device “\(Printable.clean(name))” is on the link\(question) `hearth devices`")
  }

  /// `did you mean thermostat@pi?`, where a device is called nearly so.
  static func question(_ name: String, _ devices: [DeviceResource]) -> String? {
    let jids = devices.filter { $0.state != .gone }.compactMap { JID(bare: $0.jid) }
    if name.contains("@") { return Suggestion.question(like: name, among: jids.map(\.text)) }
    let byName = jids.filter { !Suggestion.names(like: name, among: [$0.localpart ?? $0.text]).isEmpty }
    let close = Set(Suggestion.names(like: name, among: byName.map { $0.localpart ?? $0.text }))
    let names = byName.filter { close.contains($0.localpart ?? $0.text) }.map(\.text)
    return names.isEmpty
      ? nil
      : "did you mean \(names.prefix(CLILimits.suggestions).map(Printable.clean).joined(separator: ", or "))?"
  }
}

extension DeviceResource {
  /// Whether its key says whose it is: this node's, or a friend's.
  fileprivate var isTrusted: Bool { trust == "self" || trust == "friend" }
}
