/// Requests, and bodies that break the rules. Juliet gives every body back.
extension Play {
  private static let open = "<open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='s'/>"

  static let requests = [
    documents,
    Play(
      "bodies inside the stanza",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>3</header></headers>
        <data><text>abc</text></data></req></iq>
      Romeo receives
        id='1'>…statusCode='200'…<base64>YWJj</base64>
      """),
    Play(
      "shorter or longer than its Content-Length",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>4</header></headers>
        <data><text>abc</text></data></req></iq>
        <iq type='set' id='2'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>2</header></headers>
        <data><base64>YWJj</base64></data></req></iq>
        <iq type='set' id='3'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>0x3</header></headers>
        <data><base64>YWJj</base64></data></req></iq>
      Romeo receives
        type='error' id='1'>…<bad-request …type='error' id='2'>…<bad-request …type='error' id='3'>…<bad-request
      """),
    Play(
      "requests that cannot be read",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' resource='/' version='1.1'/></iq>
        <iq type='set' id='2'><req xmlns='urn:xmpp:http' method='GET' resource='http://elsewhere/' version='1.1'/></iq>
        <iq type='set' id='3'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='X'>a&#10;Y: b</header></headers></req></iq>
        <iq type='set' id='4'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><base64>!!!!</base64></data></req></iq>
        <iq type='set' id='5'><nonsense xmlns='urn:xmpp:http'/></iq>
        <iq type='set' id='6'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><jingle xmlns='urn:xmpp:jingle:1'/></data></req></iq>
        <iq type='set' id='7'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><sipub xmlns='http://jabber.org/protocol/sipub'/></data></req></iq>
      Romeo receives
        id='1'>…<bad-request …id='2'>…<bad-request …id='3'>…<bad-request …id='4'>…<bad-request …id='5'>…<bad-request
      Romeo receives
        id='6'>…<feature-not-implemented …id='7'>…<bad-request
      """),
    Play(
      "slixmpp's dialect is answered in kind, and gets no streams",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><request xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'>
        <headers xmlns='http://jabber.org/protocol/shim'/><data><text>hi</text></data></request></iq>
      Romeo receives
        id='1'><response xmlns='urn:xmpp:http' version='1.1' statusCode='200'
      """),
    Play(
      "IoTGateway's dialect: get, s5, chunks, and cancel where we say close",
      """
      Romeo greets
      Romeo sends
        <iq type='get' id='1'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='300' sipub='false' ibb='false' s5='true' jingle='false' post='https://forza/'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>6</header></headers>
        <data><chunkedBase64 streamId='c'/></data></req></iq>
        <message><chunk xmlns='urn:xmpp:http' streamId='c' nr='0'>YWJj</chunk></message>
        <message><chunk xmlns='urn:xmpp:http' streamId='c' nr='1' last='true'>ZGVm</chunk></message>
      Romeo receives
        type='result' id='1'>…<base64>YWJjZGVm</base64>
      """),
    Play(
      "xmpp-httpx's dialect: ibb for the request, without a Content-Length",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='65536'>
        <data><ibb sid='s'/></data></req></iq>
        <iq type='set' id='2'>\(open)</iq>
      Romeo receives
        type='result' id='2'/>
      Romeo sends
        <iq type='set' id='3'><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data></iq>
      Romeo receives
        type='result' id='3'/>
      Romeo sends
        <iq type='set' id='4'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>
      Romeo receives
        type='result' id='4'/>…type='result' id='1'>…<base64>YWJj</base64>
      """),
  ]

  /// How IoTGateway, and xmpp-httpx, send what they have been asked to take: by ways that XEP-0332 has for responses only.
  static let offeredRequests = [
    Play(
      "xmpp-httpx's dialect: a request that is published",
      """
      Romeo greets
      Romeo sends
        \(offered("<sipub xmlns='http://jabber.org/protocol/sipub' from='romeo@forza' id='p' mime-type='image/png' profile='\(profile)'><file xmlns='\(profile)' name='a' size='0'/></sipub>"))
      Romeo receives
        type='get' id='1'><start xmlns='http://jabber.org/protocol/sipub' id='p'/>
      Romeo sends
        <iq type='result' id='1'><starting xmlns='http://jabber.org/protocol/sipub' sid='s'/></iq>
        <iq type='set' id='2'><si xmlns='http://jabber.org/protocol/si' id='s' mime-type='image/png' profile='\(profile)'>
        <file xmlns='\(profile)' name='a' size='0'/><feature xmlns='http://jabber.org/protocol/feature-neg'>
        <x xmlns='jabber:x:data' type='form'><field var='stream-method' type='list-single'>
        <option><value>http://jabber.org/protocol/bytestreams</value></option>
        <option><value>http://jabber.org/protocol/ibb</value></option></field></x></feature></si></iq>
      Romeo receives
        type='result' id='2'><si …<value>http://jabber.org/protocol/ibb</value>
      Romeo sends
        \(threeBytes)
      Romeo receives
        type='result' id='o'/>…type='result' id='b'/>…type='result' id='c'/>…type='result' id='r'>…<base64>YWJj</base64>
      """),
    Play(
      "xmpp-httpx's dialect: a request that is offered in a session, and offered again",
      """
      Romeo greets
      Romeo sends
        \(offered(session))<iq type='set' id='again'>\(session)</iq>
      Romeo receives
        type='set' id='1'><jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='j'>…type='result' id='again'/>
      Romeo sends
        <iq type='result' id='1'/>\(threeBytes)
      Romeo receives
        type='result' id='o'/>…type='result' id='b'/>…type='result' id='c'/>…type='result' id='r'>…<base64>YWJj</base64>
      Romeo sends
        <iq type='set' id='t'><jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='j'><reason><success/></reason></jingle></iq>
      Romeo receives
        type='result' id='t'/>
      """),
    Play(
      "xmpp-httpx's dialect: a session by SOCKS5 is declined, and the request with it",
      """
      Romeo greets
      Romeo sends
        \(offered(session.replacing("transports:ibb:1", with: "transports:s5b:1")))
      Romeo receives
        type='error' id='r'>…<feature-not-implemented
      """),
    Play(
      "IoTGateway's dialect: a document, and what has no document in it",
      """
      Romeo greets
      Romeo sends
        <iq type='get' id='1'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='50000' sipub='false' ibb='true' s5='true' jingle='false'>
        <headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Type'>text/xml; charset=utf-8</header></headers>
        <data><xml><a xmlns='urn:a'>b &amp; ]]&gt;</a></xml></data></req></iq>
      Romeo receives
        type='result' id='1'>…<base64>PGEgeG1sbnM9J3VybjphJz5iICZhbXA7IF1dJmd0OzwvYT4=</base64>
      Romeo sends
        <iq type='get' id='2'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='50000' sipub='false' ibb='true' s5='true' jingle='false'>
        <data><xml>text</xml></data></req></iq>
        <iq type='get' id='3'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='50000' sipub='false' ibb='true' s5='true' jingle='false'>
        <data><s5 sid='s' e2e='false'/></data></req></iq>
      Romeo receives
        type='error' id='2'>…<bad-request …type='error' id='3'>…<feature-not-implemented
      """),
  ]

  private static let profile = "http://jabber.org/protocol/si/profile/file-transfer"
  private static let session =
    "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' initiator='romeo@forza' sid='j'>"
    + "<content creator='initiator' name='http' senders='initiator'>"
    + "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name></file></description>"
    + "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='4096' sid='s'/></content></jingle>"
  /// `abc`, by the bytestream `s`.
  private static let threeBytes =
    "<iq type='set' id='o'>\(open)</iq>"
    + "<iq type='set' id='b'><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data></iq>"
    + "<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>"

  private static func offered(_ mechanism: String) -> String {
    "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='POST' resource='/' version='1.1' maxChunkSize='65536'>"
      + "<headers xmlns='http://jabber.org/protocol/shim'><header name='content-type'>image/png</header></headers>"
      + "<data>\(mechanism)</data></req></iq>"
  }

  /// COMPAT(xmpp-httpx): `<data>` in no namespace, of which the first child counts, with one root in it.
  static let documents = Play(
    "xmpp-httpx's dialect: a document",
    """
    Romeo greets
    Romeo sends
      <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
      <headers xmlns='http://jabber.org/protocol/shim'><header name='content-type'>application/soap+xml</header>
      <header name='content-length'>120</header></headers>
      <data xmlns=''><xml><s:Envelope xmlns:s='urn:s'><s:Body>s:Server</s:Body></s:Envelope></xml></data></req></iq>
    Romeo receives
      type='result' id='1'>…<base64>PHM6RW52ZWxvcGUgeG1sbnM6cz0ndXJuOnMnIHhtbG5zPScnPjxzOkJvZHk+czpTZXJ2ZXI8L3M6Qm9keT48L3M6RW52ZWxvcGU+</base64>
    Romeo sends
      <iq type='set' id='2'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
      <data xmlns=''><xml><a/><b/></xml></data></req></iq>
      <iq type='set' id='3'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
      <data xmlns=''><xml/></data></req></iq>
    Romeo receives
      type='error' id='2'>…<bad-request …type='error' id='3'>…<bad-request
    """)

  private static func put(_ mechanism: String, length: Int? = nil) -> String {
    let headers =
      length.map {
        "<headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>\($0)</header></headers>"
      } ?? ""
    return "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>\(headers)"
      + "<data>\(mechanism)</data></req></iq>"
  }

  private static func block(_ seq: Int, _ base64: String = "YWJj") -> String {
    "<iq type='set' id='b\(seq)'><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='\(seq)'>\(base64)</data></iq>"
  }

  private static func chunk(_ nr: Int, _ base64: String = "YWJj", last: Bool = false) -> String {
    "<message><chunk xmlns='urn:xmpp:http' streamId='c' nr='\(nr)'\(last ? " last='true'" : "")>\(base64)</chunk></message>"
  }

  private static let close = "<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>"
  /// What a request whose body broke off is answered with, as the origin throws it on.
  private static let failed = "type='error' id='r'>…<internal-server-error"

  static let bodies = [
    Play(
      "chunks, blocks and ends of transfers that nobody knows",
      """
      Romeo greets
      Romeo sends
        <message><chunk xmlns='urn:xmpp:http' streamId='c' nr='0'>YWJj</chunk></message>
        <message><close xmlns='urn:xmpp:http' streamId='c'/></message>
        <message><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data></message>
        <message><chunk xmlns='urn:xmpp:http'/></message>
        <iq type='set' id='1'><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data></iq>
        <iq type='set' id='2'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>
        <iq type='set' id='3'><cancel xmlns='urn:xmpp:http' streamId='c'/></iq>
        <iq type='set' id='4'>\(open)</iq>
        <iq type='set' id='5'><open xmlns='http://jabber.org/protocol/ibb' block-size='0' sid='s'/></iq>
        <iq type='set' id='6'><dance xmlns='http://jabber.org/protocol/ibb'/></iq>
      Romeo receives
        id='1'>…<item-not-found …id='2'>…<item-not-found …id='3'>…<item-not-found …id='4'>…<not-acceptable
      Romeo receives
        id='5'>…<bad-request …id='6'>…<bad-request
      """),
    Play(
      "a second open",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'>\(open)</iq><iq type='set' id='2'>\(open)</iq>\(block(0))\(close)
      Romeo receives
        type='result' id='1'/>…type='error' id='2'>…<not-acceptable …type='result' id='b0'/>
      Romeo receives
        statusCode='200'
      """),
    Play(
      "a second body of the same name",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'>\(open)</iq>
        <iq type='set' id='2'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><ibb sid='s'/></data></req></iq>\(block(0))\(close)
      Romeo receives
        type='result' id='1'/>…type='error' id='2'>…<conflict …type='result' id='b0'/>…statusCode='200'
      """),
    Play(
      "a body that is announced and never comes",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))
      10 s pass
      Romeo receives
        id='1'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='1'/>
      10 s pass
      Romeo receives
        id='2'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='2'/>
      10 s pass
      Romeo receives
        id='3'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='3'/>
      0.1 s pass
      Romeo receives
        \(failed)
      """),
    Play(
      "a block that is too large",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'><open xmlns='http://jabber.org/protocol/ibb' block-size='2' sid='s'/></iq>
        \(block(0))
      Romeo receives
        type='error' id='b0'>…<bad-request …<close xmlns='http://jabber.org/protocol/ibb' sid='s'/>
      Romeo receives
        \(failed)
      """),
    Play(
      "a block that was left out",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'>\(open)</iq>\(block(0))\(block(2))
      Romeo receives
        type='error' id='b2'>…<unexpected-request
      Romeo receives
        \(failed)
      """),
    Play(
      "a block that comes twice is answered and dropped",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>", length: 6))<iq type='set' id='1'>\(open)</iq>\(block(0))\(block(0))\(block(1, "ZGVm"))\(close)
      Romeo receives
        type='result' id='b0'/>…type='result' id='b0'/>…type='result' id='r'>…statusCode='200'…<base64>YWJjZGVm</base64>
      """),
    Play(
      "a block that is no base64",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'>\(open)</iq>\(block(0, "#"))
      Romeo receives
        type='error' id='b0'>…<bad-request
      Romeo receives
        \(failed)
      """),
    Play(
      "blocks in messages",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>", length: 3))
        <iq type='set' id='1'><open xmlns='http://jabber.org/protocol/ibb' block-size='99' sid='s' stanza='message'/></iq>
        <message><data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data></message>\(close)
      Romeo receives
        statusCode='200'…<base64>YWJj</base64>
      """),
    Play(
      "ibb shorter than its Content-Length",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>", length: 5))<iq type='set' id='1'>\(open)</iq>\(block(0))\(close)
      Romeo receives
        \(failed)
      """),
    Play(
      "ibb longer than its Content-Length",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>", length: 2))<iq type='set' id='1'>\(open)</iq>\(block(0))
      Romeo receives
        \(failed)
      """),
    Play(
      "ibb that ends before it was opened",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))\(close)
      Romeo receives
        \(failed)
      """),
    Play(
      "chunks shorter than their Content-Length",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>", length: 4))\(chunk(0, last: true))
      Romeo receives
        \(failed)
      """),
    Play(
      "chunks longer than their Content-Length",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>", length: 4))\(chunk(0))\(chunk(1))
      Romeo receives
        \(failed)
      """),
    Play(
      "chunks in any order, and twice",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>", length: 9))\(chunk(2, "Z2hp", last: true))\(chunk(0))\(chunk(0))\(chunk(1, "ZGVm"))
      Romeo receives
        <base64>YWJjZGVmZ2hp</base64>
      """),
    Play(
      "a chunk that never comes",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>"))\(chunk(0))\(chunk(2))
      10 s pass
      Romeo receives
        id='1'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='1'/>
      10 s pass
      Romeo receives
        id='2'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='2'/>
      10 s pass
      Romeo receives
        id='3'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='3'/>
      0.1 s pass
      Romeo receives
        <close xmlns='urn:xmpp:http' streamId='c'/><cancel
      Romeo receives
        \(failed)
      """),
    Play(
      "chunks that are given up",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>"))\(chunk(0))<message><close xmlns='urn:xmpp:http' streamId='c'/></message>
      Romeo receives
        \(failed)
      """),
    Play(
      "chunks that are given up in an IQ, and in IoTGateway's words",
      """
      Romeo greets
      Romeo sends
        \(put("<chunkedBase64 streamId='c'/>"))\(chunk(0))<iq type='set' id='1'><cancel xmlns='urn:xmpp:http' streamId='c'/></iq>
      Romeo receives
        type='result' id='1'/>
      Romeo receives
        \(failed)
      """),
    Play(
      "the stream ends in the middle of a body",
      """
      Romeo greets
      Romeo sends
        \(put("<ibb sid='s'/>"))<iq type='set' id='1'>\(open)</iq>\(block(0))</stream:stream>
      Romeo is disconnected
      Paris greets
      Paris sends
        \(put("<chunkedBase64 streamId='c'/>"))\(chunk(0))
      Paris hangs up
      """),
  ]
}
