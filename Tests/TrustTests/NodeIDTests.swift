import Testing
import Trust

@Suite struct NodeIDTests {
  /// The example of Syncthing's own tests.
  static let text = "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2"

  @Test func theHashOfTheseTestsIsSHA256() {
    func hex(_ bytes: [UInt8]) -> String {
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(
      hex(SHA256.digest([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hex(SHA256.digest(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let long = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
    #expect(hex(SHA256.digest(long)) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test(arguments: [
    "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2",
    "P56IOI-7MZJNU2Y-IQGDR-EYDM2M-GTI-MGL3-BXNPQ6-W5BM-TBB-Z4TJXZ-WICQ2",
    "P56IOI7 MZJNU2Y IQGDREY DM2MGTI MGL3BXN PQ6W5BM TBBZ4TJ XZWICQ2",
    "P561017MZJNU2YIQGDREYDM2MGTIMGL3BXNPQ6W5BMT88Z4TJXZWICQ2",
    "p56ioi7mzjnu2yiqgdreydm2mgtimgl3bxnpq6w5bmtbbz4tjxzwicq2",
    " p561017mzjnu2yiqgdreydm2mgtimgl3bxnpq6w5bmt88z4tjxzwicq2\n",
  ])
  func readsWhatPeopleType(text: String) throws {
    let id = try NodeID(text)
    #expect(id.description == Self.text)
    #expect(id.short == "P56IOI7")
  }

  @Test(arguments: [
    "", "a", "P56IOI7MZJNU2IQGDREYDM2MGTMGL3BXNPQ6W5BTBBZ4TJXZWICQ",
    "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ",
    "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ23",
    "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ9",
    "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ3",
    "ä56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2",
  ])
  func refusesOthers(text: String) {
    #expect(throws: TrustError.self) { try NodeID(text) }
  }

  @Test func namesTheGroupsOfATypo() throws {
    let error = #expect(throws: TrustError.self) {
      try NodeID("P56IOI7-MZJNU2Y-IQGDREY-DM2MGTX-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2")
    }
    #expect(error?.code == .nodeID)
    #expect(error?.message.contains("IQGDREY-DM2MGTX") == true)
  }

  @Test func everySingleTypoIsSeen() throws {
    let letters = Array(Self.text)
    for index in letters.indices where letters[index] != "-" {
      for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" where other != letters[index] {
        var typo = letters
        typo[index] = other
        #expect(throws: TrustError.self) { try NodeID(String(typo)) }
      }
    }
  }

  @Test func oneTextAnID() throws {
    var random = Seeded(state: 1)
    for _ in 0..<500 {
      let id = try #require(NodeID(digest: random.bytes(32)))
      #expect(try NodeID(id.description) == id)
      #expect(id.description.utf8.count == 63)
    }
    #expect(NodeID(digest: random.bytes(31)) == nil)
    #expect(NodeID(digest: random.bytes(33)) == nil)
  }

  @Test func bitsThatBelongToNoByteAreZero() {
    // 32 bytes leave four bits of the last character over. Q and its check digit 2, then R to X, each with its own.
    let fitting = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".compactMap { digit in
      "RSTUVWX".first { last in
        (try? NodeID("P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWIC\(last)\(digit)")) != nil
      }
    }
    #expect(fitting.isEmpty)
  }

  @Test func orders() {
    #expect(NodeID(digest: Array(repeating: 0, count: 32))! < NodeID(digest: Array(repeating: 1, count: 32))!)
  }
}
