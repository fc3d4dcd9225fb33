import FoundationEssentials

/// What avahi-daemon.conf(5) says about publishing and interfaces.
package struct AvahiConfiguration: Equatable, Sendable {
  package static let path = "/etc/avahi/avahi-daemon.conf"

  /// The line that forbids programs to publish; nil where they may.
  package private(set) var forbidding: String?
  /// nil: all.
  package private(set) var allowedInterfaces: Set<String>?
  package private(set) var deniedInterfaces: Set<String> = []

  /// As it stands on this machine; nil where it cannot be read.
  package static var current: AvahiConfiguration? {
    (try? String(contentsOfFile: path, encoding: .utf8)).map(AvahiConfiguration.init(parsing:))
  }

  package init(parsing text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let pair = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" } }
      guard pair.count == 2, !pair[0].hasPrefix("#") else { continue }
      switch pair[0] {
      case "disable-publishing", "disable-user-service-publishing":
        if ["yes", "true", "1", "on"].contains(pair[1].lowercased()) { forbidding = "\(pair[0])=\(pair[1])" }
      case "allow-interfaces": allowedInterfaces = Self.names(pair[1])
      case "deny-interfaces": deniedInterfaces = Self.names(pair[1])
      default: break
      }
    }
  }

  /// That programs may announce nothing, and which line to change.
  package static var refusal: String {
    let line = current?.forbidding ?? "disable-publishing or disable-user-service-publishing is set"
    return "avahi-daemon announces nothing for programs: \(line) in \(path); \(remedy)"
  }

  package static let remedy = "change it to “no”, then: systemctl restart avahi-daemon"

  private static func names(_ list: String) -> Set<String> { Set(list.split(separator: ",").map(String.init)) }

  /// Whether avahi-daemon uses an interface of this name.
  package func uses(_ interface: String) -> Bool {
    !deniedInterfaces.contains(interface) && allowedInterfaces?.contains(interface) ?? true
  }
}
