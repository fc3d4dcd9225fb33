package import FoundationEssentials
import XML
import XMPP

/// What the node of a device says of the way to it, from its end, to a friend who asks: the other half of what
/// `hearth doctor DEVICE` finds out.
///
/// `<report xmlns='urn:hearth:report:0' device='thermostat@pi'/>` in an IQ get is answered with the same element, filled. Who is no
/// friend gets `forbidden` (RFC 6120 §8.3.3.4), and that is how a friendship that only one side knows of comes out.
package struct DeviceReport: Sendable, Hashable {
  package struct Service: Sendable, Hashable {
    /// Whether whoever asks may use it.
    package let isOpen: Bool
    package let health: Health

    package init(isOpen: Bool, health: Health) {
      (self.isOpen, self.health) = (isOpen, health)
    }
  }

  /// Of the software that answers.
  package let version: String
  /// By the clock of that machine.
  package let time: Date
  /// Where whoever asks comes from, as that machine sees it: an IP address.
  package let address: String?
  /// nil where nothing is served under this name.
  package let service: Service?

  package init(version: String, time: Date, address: String?, service: Service?) {
    (self.version, self.time, self.address, self.service) = (version, time, address, service)
  }

  package static let namespace = "urn:hearth:report:0"

  /// Asks for one.
  static func query(_ device: JID) -> Element {
    Element("report", namespace: namespace, ["device": device.text])
  }

  /// Whose report is asked for; nil where the element asks for none.
  static func device(in query: Element) -> JID? {
    guard query.is("report", namespace) else { return nil }
    return query["device"].flatMap { JID(bare: $0) }
  }

  var element: Element {
    var children: [Element] = []
    if let service {
      let (word, reason) = Self.words(service.health)
      children = [
        Element(
          "service", namespace: Self.namespace, ["app": word, "open": "\(service.isOpen)", "reason": reason])
      ]
    }
    return Element(
      "report", namespace: Self.namespace,
      ["address": address, "time": time.formatted(.iso8601), "version": version], children)
  }

  /// nil where it is none, or has no version and no time (XEP-0082 §3.2).
  init?(_ element: Element) {
    guard element.is("report", Self.namespace), let version = element["version"],
      let time = element["time"].flatMap({ try? Date($0, strategy: .iso8601) })
    else { return nil }
    func cut(_ text: String?) -> String? { text.map { String($0.prefix(MeshLimits.reportText)) } }
    let service = element.first("service", namespace: Self.namespace).map { service in
      Service(isOpen: service["open"] == "true", health: Self.health(service["app"], cut(service["reason"])))
    }
    self.init(
      version: String(version.prefix(MeshLimits.reportText)), time: time, address: cut(element["address"]),
      service: service)
  }

  private static func words(_ health: Health) -> (String, String?) {
    switch health {
    case .ok: ("ok", nil)
    case .unknown: ("unknown", nil)
    case .down(let reason): ("down", reason)
    }
  }

  private static func health(_ word: String?, _ reason: String?) -> Health {
    switch word {
    case "ok": .ok
    case "down": .down(reason ?? "it does not answer")
    default: .unknown
    }
  }
}

/// What came of asking for one.
package enum ReportOutcome: Sendable, Hashable {
  case told(DeviceReport)
  /// The node says that this one is no friend of its own.
  case notFriends
  /// It is an older version, or another program.
  case notTold
}
