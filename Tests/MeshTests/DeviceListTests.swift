import LinkLocal
import TLS
import TestKit
import Testing
import Trust
import XML
import XMPP

@testable import Mesh

/// What a node says of its devices to a friend elsewhere.
@Suite struct DeviceListTests {
  private let id = NodeID(digest: Array(repeating: 3, count: 32))!

  private func entry(_ name: String, of id: NodeID, nick: String? = nil) -> DeviceList.Entry {
    DeviceList.Entry(name: InstanceName(name)!, record: TXTRecord(["nick": nick, "id": id.description]))
  }

  @Test func itComesAsItWas() {
    let list = DeviceList([entry("node@pi", of: id), entry("thermostat@pi", of: id, nick: "Büro & Küche")])
    #expect(DeviceList(list.element, of: id) == list)
    #expect(DeviceList(Element("devices", namespace: "urn:other"), of: id) == nil)
  }

  @Test func othersDevicesAndTooManyAreLeftOut() {
    let other = NodeID(digest: Array(repeating: 4, count: 32))!
    let mixed = DeviceList([entry("node@pi", of: id), entry("nas@attic", of: other)])
    #expect(DeviceList(mixed.element, of: id)?.entries.map(\.name.text) == ["node@pi"])
    let many = DeviceList((0..<100).map { entry("lamp\($0)@pi", of: id) })
    #expect(DeviceList(many.element, of: id)?.entries.count == TrustLimits.devices)
    var nameless = many.element
    nameless.children = [
      .element(Element("device", namespace: Namespace.link, ["jid": String(repeating: "a", count: 64)]))
    ]
    #expect(DeviceList(nameless, of: id)?.entries.isEmpty == true)
  }
}
