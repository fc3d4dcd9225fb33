import LinkLocal
import Testing

@Suite struct TXTRecordTests {
  private func strings(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  private func texts(_ record: TXTRecord) -> [String] { record.encoded.map { String(decoding: $0, as: UTF8.self) } }

  @Test func announcesInOrder() {
    let record = TXTRecord(
      port: 5298, nick: "Thermostat", node: "https://hearth.example", ver: "QgayPKawpkPSDYmwT/WM94uAlu0=",
      message: "21 °C", id: "KEY", firstName: "Ada")
    #expect(
      texts(record) == [
        "txtvers=1", "port.p2pj=5298", "status=avail", "nick=Thermostat", "node=https://hearth.example", "hash=sha-1",
        "ver=QgayPKawpkPSDYmwT/WM94uAlu0=", "msg=21 °C", "id=KEY", "1st=Ada",
      ])
    #expect(TXTRecord(decoding: record.encoded) == record)
  }

  @Test func leavesOutWhatIsNotSet() {
    #expect(texts(TXTRecord(port: 1, nick: "")) == ["txtvers=1", "port.p2pj=1", "status=avail"])
    #expect(texts(TXTRecord(["": "x", "a=b": "x", "ü": "x", "a": "1", "A": "2"])) == ["a=1"])
  }

  @Test func readsTheExampleOfTheXEP() {
    let record = TXTRecord(
      decoding: strings(
        "txtvers=1", "1st=Juliet", "email=juliet@capulet.lit", "hash=sha-1", "jid=juliet@capulet.lit", "last=Capulet",
        "msg=Hanging out downtown", "nick=JuliC", "node=http://www.adiumx.com",
        "phsh=a3839614e1a382bcfebbcf20464f519e81770813", "port.p2pj=5562", "status=avail", "vc=CA!",
        "ver=QgayPKawpkPSDYmwT/WM94uAlu0="))
    #expect(record.nick == "JuliC")
    #expect(record.message == "Hanging out downtown")
    #expect(record.status == "avail")
    #expect(record.node == "http://www.adiumx.com")
    #expect(record.port == 5562)
    #expect(record.verification == .init(hash: "sha-1", ver: "QgayPKawpkPSDYmwT/WM94uAlu0="))
    #expect(record["VC"] == "CA!")
    #expect(record.id == nil)
  }

  @Test func nothingIsRequired() {
    #expect(TXTRecord(decoding: strings()).pairs.isEmpty)
    #expect(TXTRecord(decoding: [[], [0]]).pairs.isEmpty)
    #expect(TXTRecord(decoding: strings("=x", "lonely", "email=", "=")).pairs.isEmpty)
  }

  @Test(arguments: [
    (["nick=a", "NICK=b"], "a"), (["Nick=a"], "a"), (["nick=", "nick=b"], nil), (["nick", "nick=b"], nil),
    (["nick=a=b"], "a=b"), (["nick= a\u{1B}[31m\n\u{202E}b "], "a [31m b"), (["nick=\n"], nil),
  ])
  func theFirstOfRepeatedKeysCounts(texts: [String], nick: String?) {
    #expect(TXTRecord(decoding: texts.map { Array($0.utf8) }).nick == nick)
  }

  @Test(arguments: [
    (String(repeating: "a", count: 63), 63), (String(repeating: "a", count: 200), 63),
    // Between characters.
    (String(repeating: "ä", count: 100), 62), (String(repeating: "👩‍👩‍👧", count: 10), 54),
  ]) func whatIsAnnouncedIsCutToItsSize(text: String, bytes: Int) {
    let record = TXTRecord(decoding: ["nick", "status", "msg", "id"].map { Array("\($0)=\(text)".utf8) })
    #expect(record.nick == record.status && record.nick?.utf8.count == bytes)
    #expect(record.nick.map(text.hasPrefix) == true)
    #expect(record.message == text)
    #expect(record.id == (text.utf8.count > 63 ? nil : text))
  }

  @Test func badUTF8CostsItsOwnKeyOnly() {
    let record = TXTRecord(
      decoding: [Array("nick=".utf8) + [0xFF], Array("nick=b".utf8), [0xC3, 0x28, 0x3D, 0x31], Array("msg=ok".utf8)])
    #expect(record.nick == nil)
    #expect(record.message == "ok")
    #expect(record.pairs.count == 1)
  }

  @Test(arguments: [
    (["ver=1"], nil), (["hash=sha-1"], nil), (["hash=", "ver=1"], nil),
    (["hash=sha-1", "ver=1"], TXTRecord.Verification?.some(.init(hash: "sha-1", ver: "1"))),
  ])
  func verCountsOnlyWithHash(texts: [String], expected: TXTRecord.Verification?) {
    #expect(TXTRecord(decoding: texts.map { Array($0.utf8) }).verification == expected)
  }

  @Test(arguments: [("0", nil), ("65536", nil), ("x", nil), ("-1", nil), ("65535", 65535), ("1", 1)])
  func thePortIsAPort(text: String, port: Int?) {
    #expect(TXTRecord(decoding: strings("port.p2pj=\(text)")).port == port)
  }

  @Test func longValuesAreCutBetweenCharacters() {
    let record = TXTRecord(["msg": String(repeating: "é", count: 200)])
    #expect(record.encoded == [Array("msg=\(String(repeating: "é", count: 125))".utf8)])
  }

  @Test func theWholeRecordFitsAFrame() {
    let long = String(repeating: "x", count: 300)
    let record = TXTRecord(
      port: 5298, status: long, nick: long, node: long, message: long, id: "KEY", firstName: long, lastName: long)
    let bytes = record.encoded
    #expect(bytes.allSatisfy { $0.count <= 255 })
    #expect(bytes.reduce(0) { $0 + 1 + $1.count } <= 1300)
    #expect(bytes.contains(Array("id=KEY".utf8)))
  }

  @Test func aFloodOfStringsIsCutOff() {
    let flood = (0..<10_000).map { Array("k\($0)=1".utf8) }
    #expect(TXTRecord(decoding: flood).pairs.count == LinkLocalLimits.strings)
  }
}
