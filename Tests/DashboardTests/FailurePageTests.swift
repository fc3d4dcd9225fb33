import Codecs
import Front
import HTTPTypes
import HTTPX
import TestKit
import Testing

@testable import Dashboard
@testable import Mesh

/// What a browser gets where the app behind a device gives no answer.
@Suite(.timeLimit(.minutes(1))) struct FailurePageTests {
  private static let text = "The app behind this device is not running.\n"
  private static let browser = ["Accept: text/html,*/*;q=0.8"]

  private static let down: TestHandler.Respond = { _, _, send in
    let failure = OriginFailure(.unreachable, error: "connection_refused", reason: "Connection refused")
    try await send(HTTPXResponse(HTTPResponse(status: .badGateway), body: Body(text), failure: failure))
  }

  @Test func thePageSaysSoAndLooksAgain() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.down)
      let page = try await rig.ask("GET /x", Self.browser)
      #expect(page.status == 502 && page.text.contains("<h1>The app of app@pi is not running</h1>"))
      #expect(page.text.contains("href=\"\(rig.front.dashboard)\"") && page.text.contains("Try again"))
      #expect(page.text.contains("<script nonce=") && page["Content-Security-Policy"]?.contains("'nonce-") == true)
      // What the nodes have said of it stays.
      #expect(page["Proxy-Status"] == "\"app@pi\"; error=connection_refused, \"node@laptop\"")
      // How long it has been so is known by then.
      #expect(try await rig.ask("GET /x", Self.browser).text.contains("So since <time"))
    }
  }

  @Test func programsAndFormsGetWhatTheNodeSays() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.down)
      for (line, fields) in [("GET /", []), ("POST /", Self.browser), ("GET /", ["Accept: application/json"])] {
        let answer = try await rig.ask(line, fields)
        #expect(answer.status == 502 && answer.text == Self.text, "\(line)")
      }
      #expect(try await rig.ask("HEAD /", Self.browser)["Proxy-Status"]?.contains("error=") == true)
    }
  }

  /// An app may say of itself what it likes: its own errors are its own pages.
  @Test func whatAnAppSaysIsPassedOn() async throws {
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        let fields: HTTPFields = [.proxyStatus: "app@pi; error=connection_refused"]
        try await send(HTTPXResponse(HTTPResponse(status: .badGateway, headerFields: fields), body: Body("mine")))
      }
      #expect(try await rig.ask("GET /", Self.browser).text == "mine")
    }
  }

  @Test func whatWasSentIsNotSentAgain() async throws {
    try await Rig.run { rig in
      for (method, looksAgain) in [("GET", true), ("POST", false)] {
        let page = try await rig.ask("\(method) /", host: rig.host("nobody@pi"), Self.browser)
        #expect(page.text.contains("is not on this network") && page.text.contains("<script") == looksAgain)
      }
    }
  }
}
