import Control
import FoundationEssentials
import XMPP

/// The list of devices as people read it.
enum DeviceTable {
  /// - Parameter width: cells of the terminal; nil where it is none.
  static func lines(_ devices: [DeviceResource], now: Date, width: Int? = nil) -> [String] {
    // At home all of it would say the same.
    let isVia = devices.contains { $0.via != DeviceResource.onLink }
    var table = TextTable(
      header: ["NAME", "JID", "STATE", "TRUST", "FRIEND", "HTTP", "SEEN"] + (isVia ? ["VIA"] : []) + ["URL"])
    table.rows = devices.map { device in
      [
        device.name, device.jid, device.state.rawValue, trust(device), device.petname ?? "-", http(device),
        seen(device, now: now),
      ] + (isVia ? [device.via] : []) + [device.url ?? "-"]
    }
    return table.lines(fitting: width)
  }

  /// One change, as a line of its own.
  static func change(_ device: DeviceResource) -> String {
    [device.jid, device.state.rawValue, device.trust, device.name, device.url].compactMap { $0.map(Printable.clean) }
      .joined(separator: "  ")
  }

  private static func trust(_ device: DeviceResource) -> String {
    device.renounced == nil ? device.trust ?? "?" : "one-sided"
  }

  /// What the owner should know of devices that are refused for their keys, and of friends who are none any more: one line each.
  static func problems(_ devices: [DeviceResource]) -> [String] {
    changes(devices) + renounced(devices)
  }

  private static func renounced(_ devices: [DeviceResource]) -> [String] {
    var known: Set<String> = []
    return devices.compactMap { device in
      guard device.renounced != nil, let petname = device.petname, known.insert(petname).inserted else { return nil }
      return Printable.clean(TrustText.renounced(petname, device.renounced, JID(bare: device.jid)))
    }
  }

  private static func changes(_ devices: [DeviceResource]) -> [String] {
    devices.compactMap { device in
      guard device.trust == "CHANGED", let problem = device.problem else { return nil }
      return Printable.clean(
        "hearth: \(device.jid) is not let in: \(problem). Ask its owner whether it has a new key: if so, "
          + "`hearth friends remove` who had this address; else somebody pretends to be it.")
    }
  }

  private static func http(_ device: DeviceResource) -> String {
    if device.health?.state == .down { return "down" }
    return device.http.map { $0 ? "yes" : "no" } ?? "?"
  }

  private static func seen(_ device: DeviceResource, now: Date) -> String {
    device.online ? "now" : age(now.timeIntervalSince(device.seen))
  }

  /// `now`, `3 min ago`, `2 h ago`, `5 d ago`: rounded down.
  static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<60: "now"
    default: "\(span(seconds)) ago"
    }
  }

  /// In whole units of the largest that fits.
  static func span(_ seconds: Double) -> String {
    switch seconds {
    case ..<60: "\(Int(seconds)) s"
    case ..<3600: "\(Int(seconds / 60)) min"
    case ..<86400: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86400)) d"
    }
  }
}
