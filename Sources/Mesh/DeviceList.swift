import LinkLocal
import Streams
import Trust
import XML
import XMPP

/// What a node announces on its own link, for a friend who is on another one: the names of its devices, and of each what its TXT record
/// would say (XEP-0174 §5).
///
/// `<devices xmlns='urn:hearth:link:0'/>` in an IQ get is answered with the same element, filled. Whoever asked gets it again as an IQ set
/// when it has changed.
struct DeviceList: Sendable, Equatable {
  struct Entry: Sendable, Equatable {
    let name: InstanceName
    let record: TXTRecord
  }

  var entries: [Entry]

  static let query = Element("devices", namespace: Namespace.link)

  var element: Element {
    let devices = entries.map { entry in
      Element(
        "device", namespace: Namespace.link, ["jid": entry.name.text],
        entry.record.encoded.map {
          Element("txt", namespace: Namespace.link, text: String(decoding: $0, as: UTF8.self))
        })
    }
    return Element("devices", namespace: Namespace.link, [:], devices)
  }

  init(_ entries: [Entry]) { self.entries = entries }

  /// Those of one node: what names another in its record, or has no name that a link could have, is left out, and so is what there is too
  /// much of. nil where it is no list.
  init?(_ element: Element, of id: NodeID) {
    guard element.is("devices", Namespace.link) else { return nil }
    let own = id.description
    entries = element.elements.lazy.filter { $0.is("device", Namespace.link) }.compactMap { device -> Entry? in
      guard let name = device["jid"].flatMap({ InstanceName($0) }) else { return nil }
      let strings = device.elements.lazy.filter { $0.is("txt", Namespace.link) }.map { [UInt8]($0.text.utf8) }
      let record = TXTRecord(decoding: strings)
      return record.id == own ? Entry(name: name, record: record) : nil
    }
    .prefix(TrustLimits.devices).map { $0 }
  }
}

extension ServiceTable {
  /// What this node announces, each under the name that it has, or is meant to have.
  func list() -> DeviceList {
    // Whoever is elsewhere does not come to it.
    let port = StreamHost.standardPort
    let served = Dictionary(served.map { ($0.name, $0.jid) }) { first, _ in first }
    let node = nodeAnnouncement(port: port)
    let own = DeviceList.Entry(name: InstanceName(self.node) ?? node.name, record: node.record)
    let services = all.compactMap { announcement(of: $0, port: port) }.map { announced in
      let name = served[announced.id].flatMap { $0 }.flatMap { InstanceName($0) } ?? announced.name
      return DeviceList.Entry(name: name, record: announced.record)
    }
    return DeviceList([own] + services)
  }
}
