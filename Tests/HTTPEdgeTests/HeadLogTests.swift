import HTTPTypes
import Logging
import NIOEmbedded
import TestKit
import Testing

@testable import HTTPEdge

struct HeadLogTests {
  @Test func nothingIsShownUnlessAllIsWanted() {
    for level in Logger.Level.allCases where level != .trace {
      var logger = LogRecorder().logger
      logger.logLevel = level
      #expect(HeadLog(logger) == nil)
    }
  }

  @Test func headsAreShownAndNoSecrets() throws {
    let recorder = LogRecorder()
    var logger = recorder.logger
    logger.logLevel = .trace
    let log = try #require(HeadLog(logger))
    let channel = EmbeddedChannel()
    log.received(
      HTTPRequest(
        method: .post, scheme: "http", authority: "tv--pi.localhost:8332", path: "/x?word=swordfish",
        headerFields: [
          .accept: "text/html", .cookie: "word=swordfish", .authorization: "Basic swordfish",
          .referer: "http://a.localhost/?word=swordfish",
        ]), on: channel)
    log.sent(
      HTTPResponse(status: .notFound, headerFields: [.setCookie: "swordfish", .contentLength: "3"]), on: channel)
    let (request, response) = (recorder.lines[0], recorder.lines[1])
    #expect(request.message == "HTTP request" && request.fields["head"] == "POST /x?…")
    #expect(
      request.fields["fields"]
        == "host: tv--pi.localhost:8332; accept: text/html; cookie: (14 bytes); authorization: (15 bytes); "
        + "referer: http://a.localhost/?…")
    #expect(response.message == "HTTP response" && response.fields["head"] == "404")
    #expect(response.fields["fields"] == "set-cookie: (9 bytes); content-length: 3")
  }
}
