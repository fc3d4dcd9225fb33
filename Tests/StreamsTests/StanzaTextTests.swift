import Testing
import XML
import XMPP

@testable import Streams

struct StanzaTextTests {
  private static func text(_ payload: Element) -> String {
    StanzaText.text(of: Element("iq", namespace: Namespace.client, ["type": "set", "id": "1"], [payload]))
  }

  private static func request(_ field: String, _ value: String, body: Element? = nil) -> Element {
    Element(
      "req", namespace: Namespace.http, ["method": "GET", "resource": "/a/b?user=anna&word=swordfish"],
      [
        Element(
          "headers", namespace: Namespace.shim, [:],
          [Element("header", namespace: Namespace.shim, ["name": field], text: value)])
      ] + (body.map { [Element("data", namespace: Namespace.http, [:], [$0])] } ?? []))
  }

  @Test func tellsWhatIsAskedAndNotWithWhichWords() {
    let text = Self.text(Self.request("Accept", "text/html"))
    #expect(text.contains("resource='/a/b?…'") && text.contains("text/html") && !text.contains("swordfish"))
  }

  @Test(arguments: [
    "Cookie", "set-cookie", "AUTHORIZATION", "Proxy-Authorization", "X-Api-Key", "X-CSRF-Token", "My-Token",
    "Sec-WebSocket-Protocol",
  ])
  func tellsNoCredentials(_ name: String) {
    let text = Self.text(Self.request(name, "swordfish"))
    #expect(!text.contains("swordfish") && text.contains("(9 bytes)") && text.contains(name))
  }

  @Test func tellsNoQueryOfAReference() {
    let text = Self.text(Self.request("Referer", "http://a.localhost/x?word=swordfish"))
    #expect(text.contains("http://a.localhost/x?…") && !text.contains("swordfish"))
  }

  @Test(arguments: ["text", "base64", "chunk"]) func tellsNoBodies(_ name: String) {
    let body = Element(name, namespace: Namespace.http, [:], text: "word=swordfish")
    let text = Self.text(Self.request("Accept", "*/*", body: body))
    #expect(!text.contains("swordfish") && text.contains("(14 bytes)"))
  }

  @Test func tellsNothingOfBlocksWordsAndDocuments() {
    let inside = Element("login", namespace: "x", ["a": "b"], text: "swordfish")
    for element in [
      Element("data", namespace: Namespace.ibb, ["sid": "s", "seq": "0"], text: "swordfish"),
      Element("body", namespace: Namespace.client, [:], text: "swordfish"),
      Element("data", namespace: Namespace.http, [:], [Element("xml", namespace: Namespace.http, [:], [inside])]),
      Element("invite", namespace: "urn:hearth:invite:1", ["token": "swordfish"], text: "swordfish"),
      Element(
        "commit", namespace: "urn:hearth:pairing:1", [:],
        [Element("nonce", namespace: "urn:hearth:pairing:1", [:], text: "swordfish")]),
    ] {
      #expect(!Self.text(element).contains("swordfish"), "\(element.name)")
    }
  }

  @Test func isOneShortLineWhateverIsInIt() {
    let long = String(repeating: "x", count: 100_000)
    let text = Self.text(
      Element(
        "query", namespace: "x", ["node": long + "\n"],
        Array(repeating: Element("a", namespace: "x", ["b": long]), count: 100)))
    #expect(text.utf8.count <= Limits.tracedText + 8 && !text.contains("\n"))
  }

  @Test func reasonsAreTold() {
    let error = StanzaError(.forbidden, "You may not.").element
    #expect(Self.text(error).contains("You may not."))
  }
}
