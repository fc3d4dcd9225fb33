import Testing
import XML
import XMPP

@testable import Bytestreams

/// XEP-0065 §5.3.
@Suite struct S5BQueryTests {
  /// Examples 3 and 5.
  @Test func queryOfTheXEP() throws {
    let query = try payload(
      of: "<iq><query xmlns='http://jabber.org/protocol/bytestreams' sid='vxf9n471bn46'>"
        + "<streamhost host='192.168.4.1' jid='requester@example.com/foo' port='5086'/>"
        + "<streamhost host='24.24.24.1' jid='streamer.example.com' zeroconf='_jabber.bytestreams'/>"
        + "<streamhost host='192.168.4.2' jid='b' port='0'/><streamhost host='192.168.4.3' jid='c' port='7625'/></query></iq>"
    )
    let transport = try S5BTransport(query: query)
    #expect(transport.sid == "vxf9n471bn46" && transport.destination == nil)
    #expect(transport.candidates.map(\.host) == ["192.168.4.1", "192.168.4.3"])
    #expect(transport.candidates.map(\.id) == ["requester@example.com/foo", "c"])
    #expect(try S5BTransport(query: transport.query) == transport)
    let used = transport.used("requester@example.com/foo")
    #expect(used.is("query", "http://jabber.org/protocol/bytestreams") && used["sid"] == "vxf9n471bn46")
    #expect(S5BTransport.used(in: used) == "requester@example.com/foo")
    #expect(S5BTransport.used(in: query) == nil && S5BTransport.used(in: nil) == nil)
  }

  @Test(arguments: ["mode='udp' sid='s'", "mode='tcp'", "sid=''"]) func whatCannotBeReadIsRefused(attributes: String)
    throws
  {
    let query = try payload(of: "<iq><query xmlns='http://jabber.org/protocol/bytestreams' \(attributes)/></iq>")
    #expect(throws: StanzaError.self) { try S5BTransport(query: query) }
  }

  @Test func candidatesAreBounded() throws {
    let hosts = (0..<40).map { "<streamhost host='10.0.0.\($0)' jid='a' port='5086'/>" }.joined()
    let query = try payload(
      of: "<iq><query xmlns='http://jabber.org/protocol/bytestreams' sid='s'>\(hosts)</query></iq>")
    #expect(try S5BTransport(query: query).candidates.count == BytestreamLimits.candidates)
  }
}
