import Control
import FoundationEssentials

/// The list of devices as people read it.
enum DeviceTable {
  static func lines(_ devices: [DeviceResource], now: Date) -> [String] {
    var table = TextTable(header: ["NAME", "JID", "STATE", "TRUST", "FRIEND", "HTTP", "SEEN", "URL"])
    table.rows = devices.map { device in
      [
        device.name, device.jid, device.state.rawValue, device.trust ?? "?", device.petname ?? "-", http(device),
        seen(device, now: now), device.url ?? "-",
      ]
    }
    return table.lines
  }

  /// One change, as a line of its own.
  static func change(_ device: DeviceResource) -> String {
    [device.jid, device.state.rawValue, device.trust, device.name, device.url].compactMap { $0.map(Printable.clean) }
      .joined(separator: "  ")
  }

  /// What the owner should know of devices that are refused for their keys: one line each.
  static func problems(_ devices: [DeviceResource]) -> [String] {
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
    case ..<3600: "\(Int(seconds / 60)) min ago"
    case ..<86400: "\(Int(seconds / 3600)) h ago"
    default: "\(Int(seconds / 86400)) d ago"
    }
  }
}
