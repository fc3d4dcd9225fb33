import Front
import Testing
import XMPP

struct DeviceLabelTests {
  @Test(arguments: [
    ("thermostat@pi", "thermostat--pi"), ("TV@Living-Room", "tv--living-room"), ("tv-1@pi", "tv-1--pi"),
    ("1@2", "1--2"),
    ("a@b", "a--b"), ("hearth@pi", "hearth--pi"),
  ])
  func plain(jid: String, label: String) throws {
    let jid = try #require(JID(jid))
    #expect(DeviceLabel.label(of: jid) == label)
    #expect(DeviceLabel.jid(ofLabel: label) == jid)
  }

  @Test(arguments: [
    "Living Room@pi", "tv@pi.local", "küche@pi", "tv@pi #2", "printer", "a@b@c", "@pi", "tv@", "a--b@c", "a@b--c",
    "-a@b",
    "a-@b", "a@-b", "a@b-", "x@pi", "xn@pi", "X@pi", "tv_1@pi", "a", "x--y@z", "/../@pi",
  ])
  func escapedAndBack(text: String) throws {
    let jid = try #require(JID(text))
    let label = DeviceLabel.label(of: jid)
    #expect(label.hasPrefix("x--"))
    #expect(label.utf8.count <= 63)
    #expect(label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
    #expect(DeviceLabel.jid(ofLabel: label) == jid)
  }

  @Test func escapingIsBase32OfTheFoldedAddress() throws {
    #expect(DeviceLabel.label(of: try #require(JID("Foobar"))) == "x--mzxw6ytboi")
  }

  @Test func whatIsTooLongIsCutByAHash() throws {
    let one = try #require(JID(String(repeating: "ä", count: 20) + "one"))
    let two = try #require(JID(String(repeating: "ä", count: 20) + "two"))
    let label = DeviceLabel.label(of: one)
    #expect(label.utf8.count == 63)
    #expect(label != DeviceLabel.label(of: two))
    #expect(label.prefix(30) == DeviceLabel.label(of: two).prefix(30))
    #expect(DeviceLabel.jid(ofLabel: label) == nil)
  }

  @Test func theLongestThatFitsIsNotCut() throws {
    let fits = try #require(JID(String(repeating: ".", count: 37)))
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: fits)) == fits)
    let longer = try #require(JID(String(repeating: ".", count: 38)))
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: longer)) == nil)
  }

  @Test func aPlainLabelThatIsTooLongIsEscaped() throws {
    let fits = try #require(
      JID(localpart: String(repeating: "a", count: 30), domainpart: String(repeating: "b", count: 31)))
    #expect(DeviceLabel.label(of: fits).utf8.count == 63)
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: fits)) == fits)
    let longer = try #require(
      JID(localpart: String(repeating: "a", count: 31), domainpart: String(repeating: "b", count: 31)))
    #expect(DeviceLabel.label(of: longer).hasPrefix("x--"))
    #expect(DeviceLabel.label(of: longer).utf8.count == 63)
  }

  @Test func differentAddressesHaveDifferentLabels() {
    let parts = ["a", "-", "--", "x", "@", ".", "b-"]
    var labels: [String: JID] = [:]
    for first in parts {
      for second in parts {
        for third in parts {
          for machine in ["a", "-a", "@b"] {
            guard let jid = JID(first + second + third + "@" + machine) else { continue }
            let label = DeviceLabel.label(of: jid)
            if let other = labels[label] { #expect(other == jid, "\(label)") }
            labels[label] = jid
          }
        }
      }
    }
    #expect(labels.count > 900)
  }

  @Test(arguments: [
    "", "hearth", "localhost", "--", "a--", "--b", "x--", "x--1", "x--mzxw6ytboj", "x--mzxw6ytbo", "x--MZXW6YTBOI",
    "Thermostat--pi", "x--77777777", "xn--pi", "a--b--c", "a---b", "a_b--c", "ä--b", "x--mzxw6ytboi======",
  ])
  func otherLabelsStandForNothing(label: String) {
    #expect(DeviceLabel.jid(ofLabel: label) == nil)
  }
}
