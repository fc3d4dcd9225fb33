import Codecs
import HTTPTypes
import Testing

@Suite struct ReasonPhraseTests {
  /// swift-http-types has most of them, as properties.
  @Test(
    arguments: [
      .continue, .switchingProtocols, .earlyHints, .ok, .created, .accepted, .nonAuthoritativeInformation, .noContent,
      .resetContent, .partialContent, .multipleChoices, .movedPermanently, .found, .seeOther, .notModified,
      .temporaryRedirect, .permanentRedirect, .badRequest, .unauthorized, .forbidden, .notFound, .methodNotAllowed,
      .notAcceptable, .proxyAuthenticationRequired, .requestTimeout, .conflict, .gone, .lengthRequired,
      .preconditionFailed, .contentTooLarge, .uriTooLong, .unsupportedMediaType, .rangeNotSatisfiable,
      .expectationFailed,
      .misdirectedRequest, .unprocessableContent, .tooEarly, .upgradeRequired, .preconditionRequired, .tooManyRequests,
      .requestHeaderFieldsTooLarge, .unavailableForLegalReasons, .internalServerError, .notImplemented, .badGateway,
      .serviceUnavailable, .gatewayTimeout, .httpVersionNotSupported, .networkAuthenticationRequired,
    ] as [HTTPResponse.Status])
  func standardPhrases(_ status: HTTPResponse.Status) {
    #expect(ReasonPhrase.standard(status.code) == status.reasonPhrase)
    #expect(status.ownPhrase == nil)
    #expect(HTTPResponse.Status(code: status.code).phrase == status.reasonPhrase)
  }

  @Test(arguments: [
    (200, "OK", "OK"), (200, nil, "OK"), (200, "", "OK"), (200, " \t", "OK"), (200, "Fine", "Fine"), (599, nil, ""),
    (299, "Custom", "Custom"), (404, "Kein Gerät", "Kein Gerät"), (404, "a\tb c", "a\tb c"),
    // RFC 9112 §4: what would end the line, or is no text.
    (404, "a\r\nX: y", "Not Found"), (404, "a\nb", "Not Found"), (404, "a\u{0}", "Not Found"),
    (404, "\u{1B}[2J", "Not Found"),
    (404, "\u{7F}", "Not Found"), (599, "a\rb", ""),
    (404, String(repeating: "a", count: 256), String(repeating: "a", count: 256)),
    (404, String(repeating: "a", count: 257), "Not Found"),
  ])
  func whatIsPassedOn(_ code: Int, _ said: String?, _ phrase: String) {
    let status = HTTPResponse.Status(code: code, said: said)
    #expect(status.code == code && status.reasonPhrase == phrase)
    #expect(status.ownPhrase == (phrase == ReasonPhrase.standard(code) ? nil : phrase))
  }
}
