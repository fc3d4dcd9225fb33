import Testing

/// Every request and response of XEP-0332 §4, as printed there.
enum XEPExamples {
  struct Example: Sendable, CustomTestStringConvertible {
    let name: String
    let xml: String
    var testDescription: String { name }
  }

  static let requests: [Example] = [
    Example(
      name: "OPTIONS",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='1'>
           <req xmlns='urn:xmpp:http' method='OPTIONS' resource='*' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "GET",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='2'>
           <req xmlns='urn:xmpp:http' method='GET' resource='/rdf/xep' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "HEAD",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='3'>
           <req xmlns='urn:xmpp:http' method='HEAD' resource='/video/video1.m4' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "POST",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='4'>
           <req xmlns='urn:xmpp:http' method='POST' resource='/sparql/?default-graph-uri=http%3A%2F%2Fexample.org%2Frdf/xep' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
                   <header name='User-agent'>Clayster HTTP/XMPP Client</header>
                   <header name='Content-Type'>application/sparql-query</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <text>PREFIX dc: &lt;http://purl.org/dc/elements/1.1/&gt;
        BASE &lt;http://example.org/&gt;

        SELECT ?title ?creator ?publisher
        WHERE  { ?x dc:title ?title .
              OPTIONAL { ?x dc:creator ?creator } .
            }</text>
               </data>
           </req>
        </iq>
        """#),
    Example(
      name: "PUT",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='5'>
           <req xmlns='urn:xmpp:http' method='PUT' resource='/index.html' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
                   <header name='Content-Type'>text/html</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <text>&lt;html&gt;&lt;header/&gt;&lt;body&gt;&lt;p&gt;Beautiful home page.&lt;/p&gt;&lt;/body&gt;&lt;/html&gt;</text>
               </data>
           </req>
        </iq>
        """#),
    Example(
      name: "DELETE",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='6'>
           <req xmlns='urn:xmpp:http' method='DELETE' resource='/index.html' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "TRACE",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='7'>
           <req xmlns='urn:xmpp:http' method='TRACE' resource='/rdf/ex1.turtle' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "PATCH",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='8'>
           <req xmlns='urn:xmpp:http' method='PATCH' resource='/file.txt' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>www.example.com</header>
                   <header name='Content-Type'>application/example</header>
                   <header name='If-Match'>e0023aa4e</header>
                   <header name='Content-Length'>100</header>
               </headers>
               <data>
                   [description of changes]
               </data>
           </req>
        </iq>
        """#),
    Example(
      name: "ibb",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='12'>
           <req xmlns='urn:xmpp:http' method='GET' resource='/webcam1.jpg' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    // The XEP closes m:AddNumbers with another name.
    Example(
      name: "SOAP method call",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.com'
            id='15'>
           <req xmlns='urn:xmpp:http' method='POST' resource='/Math' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>www.example.com</header>
                   <header name='Content-Type'>application/soap+xml; charset=utf-8</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <soap:Envelope xmlns:soap="http://www.w3.org/2001/12/soap-envelope"
                                      soap:encodingStyle="http://www.w3.org/2001/12/soap-encoding">
                           <soap:Body xmlns:m="http://www.example.org/math">
                               <m:AddNumbers>
                                   <m:N1>10</m:N1>
                                   <m:N2>20</m:N2>
                               </m:AddNumbers>
                           </soap:Body>
                       </soap:Envelope>
                   </xml>
               </data>
           </req>
        </iq>
        """#),
    Example(
      name: "REST",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='16'>
           <req xmlns='urn:xmpp:http' method='GET' resource='/api/multiplicationtable?m=5' version='1.1'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
               </headers>
           </req>
        </iq>
        """#),
    Example(
      name: "SPARQL",
      xml: #"""
        <iq type='set'
            from='httpclient@example.org/browser'
            to='httpserver@example.org'
            id='4'>
           <req xmlns='urn:xmpp:http' method='POST' version='1.1'
                resource='/sparql/?default-graph-uri=http%3A%2F%2Fanother.example%2Fcalendar.rdf'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Host'>example.org</header>
                   <header name='User-agent'>Clayster HTTP/XMPP Client</header>
                   <header name='Content-Type'>application/sparql-query</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <text>@prefix dc: &lt;http://purl.org/dc/elements/1.1/&gt;.
        @base &lt;http://example.org/&gt;.

        &lt;xep&gt; dc:title "HTTP over XMPP";
           dc:creator &lt;PeterWaher&gt;;
           dc:publisher &lt;XSF&gt;.</text>
               </data>
           </req>
        </iq>
        """#),
  ]

  static let responses: [Example] = [
    Example(
      name: "OPTIONS",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='1'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 13:52:10 GMT-4</header>
                   <header name='Allow'>OPTIONS, GET, HEAD, POST, PUT, DELETE, TRACE</header>
                   <header name='Content-Length'>0</header>
               </headers>
           </resp>
        </iq>
        """#),
    Example(
      name: "GET",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='2'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>text/turtle</header>
                   <header name='Content-Length'>...</header>
                   <header name='Connection'>Close</header>
               </headers>
               <data>
                   <text>@prefix dc: &lt;http://purl.org/dc/elements/1.1/&gt;.
        @base &lt;http://example.org/&gt;.

        &lt;xep&gt; dc:title "HTTP over XMPP";
           dc:creator &lt;PeterWaher&gt;;
           dc:publisher &lt;XSF&gt;.</text>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "HEAD",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='3'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:57:12GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>video/mp4</header>
                   <header name='Content-Length'>12345678</header>
               </headers>
           </resp>
        </iq>
        """#),
    Example(
      name: "POST",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='4'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:09:34-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>application/sparql-results+xml</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <sparql xmlns="http://www.w3.org/2005/sparql-results#">
                           <head>
                               <variable name="title"/>
                               <variable name="creator"/>
                           </head>
                           <results>
                               <result>
                                   <binding name="title">
                                       <literal>HTTP over XMPP</literal>
                                   </binding>
                                   <binding name="creator">
                                       <uri>http://example.org/PeterWaher</uri>
                                   </binding>
                               </result>
                           </results>
                       </sparql>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "PUT",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='5'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='204' statusMessage='No Content'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:40:41GMT-4</header>
                   <header name='Content-Length'>0</header>
               </headers>
           </resp>
        </iq>
        """#),
    Example(
      name: "DELETE",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='6'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='403' statusMessage='Forbidden'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:46:07GMT-4</header>
                   <header name='Content-Type'>text/plain</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <text>You're not allowed to change the home page!</text>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "TRACE",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='7'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:55:10GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>message/http</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <text>GET /rdf/ex1.turtle HTTP/1.1
        Host: example.org</text>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "PATCH",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='8'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='204' statusMessage='No Content'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Content-Location'>/file.txt</header>
                   <header name='ETag'>e0023aa4e</header>
               </headers>
           </resp>
        </iq>
        """#),
    Example(
      name: "text",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='2'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>text/turtle</header>
                   <header name='Content-Length'>...</header>
                   <header name='Connection'>Close</header>
               </headers>
               <data>
                   <text>@prefix dc: &lt;http://purl.org/dc/elements/1.1/&gt;.
        @base &lt;http://example.org/&gt;.

        &lt;xep&gt; dc:title "HTTP over XMPP";
           dc:creator &lt;PeterWaher&gt;;
           dc:publisher &lt;XSF&gt;.</text>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "xml",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='4'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:09:34-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>application/sparql-results+xml</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <sparql xmlns="http://www.w3.org/2005/sparql-results#">
                           <head>
                               <variable name="title"/>
                               <variable name="creator"/>
                           </head>
                           <results>
                               <result>
                                   <binding name="title">
                                       <literal>HTTP over XMPP</literal>
                                   </binding>
                                   <binding name="creator">
                                       <uri>http://example.org/PeterWaher</uri>
                                   </binding>
                               </result>
                           </results>
                       </sparql>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
    // The XEP cuts the data short anywhere; here at groups of four.
    Example(
      name: "base64",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='9'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>image/png</header>
                   <header name='Content-Length'>221203</header>
               </headers>
               <data>
                   <base64>iVBORw0KGgoAAAANSUhEUgAAASwAAAGQCAYAAAAUdV17AAAAAXNSVWJd+e+y1AAAAABJRU5ErkJggg==</base64>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "chunkedBase64",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='10'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 04 May 2013 13:43:12GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>image/png</header>
                   <header name='Content-Length'>221203</header>
               </headers>
               <data>
                   <chunkedBase64 streamId='Stream0001'/>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "sipub",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='11'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>image/png</header>
                   <header name='Content-Length'>221203</header>
               </headers>
               <data>
                   <sipub xmlns='http://jabber.org/protocol/sipub'
                          from='httpserver@example.org'
                          id='file-0001'
                          mime-type='image/png'
                          profile='http://jabber.org/protocol/si/profile/file-transfer'>
                       <file xmlns='http://jabber.org/protocol/si/profile/file-transfer'
                             name='Kermit.png'
                             size='221203'
                             date='2013-03-06T16:47Z'/>
                   </sipub>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "ibb",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='12'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 04 May 2013 15:05:32GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>multipart/x-mixed-replace;boundary=__2347927492837489237492837</header>
               </headers>
               <data>
                   <ibb sid='Stream0002'/>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "jingle",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='14'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>video/mp4</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <jingle xmlns='urn:xmpp:jingle:1'
                           action='session-initiate'
                           initiator='romeo@montague.lit/orchard'
                           sid='a73sjjvkla37jfea'>
                       <content creator='initiator' name='voice'>
                           <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>
                               <payload-type id='96' name='speex' clockrate='16000'/>
                               <payload-type id='97' name='speex' clockrate='8000'/>
                               <payload-type id='18' name='G729'/>
                               <payload-type id='0' name='PCMU' />
                               <payload-type id='103' name='L16' clockrate='16000' channels='2'/>
                               <payload-type id='98' name='x-ISAC' clockrate='8000'/>
                           </description>
                           <transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'
                                      pwd='asd88fgpdd777uzjYhagZg'
                                      ufrag='8hhy'>
                               <candidate component='1'
                                          foundation='1'
                                          generation='0'
                                          id='el0747fg11'
                                          ip='10.0.1.1'
                                          network='1'
                                          port='8998'
                                          priority='2130706431'
                                          protocol='udp'
                                          type='host'/>
                               <candidate component='1'
                                          foundation='2'
                                          generation='0'
                                          id='y3s2b30v3r'
                                          ip='192.0.2.3'
                                          network='1'
                                          port='45664'
                                          priority='1694498815'
                                          protocol='udp'
                                          rel-addr='10.0.1.1'
                                          rel-port='8998'
                                          type='srflx'/>
                           </transport>
                       </content>
                   </jingle>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "SOAP method call",
      xml: #"""
        <iq type='result'
            from='httpserver@example.com'
            to='httpclient@example.org/browser'
            id='15'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Content-Type'>application/soap+xml; charset=utf-8</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <soap:Envelope xmlns:soap="http://www.w3.org/2001/12/soap-envelope"
                                      soap:encodingStyle="http://www.w3.org/2001/12/soap-encoding">
                           <soap:Body xmlns:m="http://www.example.org/math">
                               <m:AddNumbersResponse>
                                   <m:Sum>30</m:Sum>
                               </m:AddNumbersResponse>
                           </soap:Body>
                       </soap:Envelope>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "REST",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='16'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 05 May 2013 15:01:53GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>text/xml</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <table>
                           <value n='1' nTimesM='5'/>
                           <value n='2' nTimesM='10'/>
                           <value n='3' nTimesM='15'/>
                           <value n='4' nTimesM='20'/>
                           <value n='5' nTimesM='25'/>
                           <value n='6' nTimesM='30'/>
                           <value n='7' nTimesM='35'/>
                           <value n='8' nTimesM='40'/>
                           <value n='9' nTimesM='45'/>
                           <value n='10' nTimesM='50'/>
                       </table>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "Turtle",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='2'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 16:39:54GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>text/turtle</header>
                   <header name='Content-Length'>...</header>
                   <header name='Connection'>Close</header>
               </headers>
               <data>
                   <text>@prefix dc: &lt;http://purl.org/dc/elements/1.1/&gt;.
        @base &lt;http://example.org/&gt;.

        &lt;xep&gt; dc:title "HTTP over XMPP";
           dc:creator &lt;PeterWaher&gt;;
           dc:publisher &lt;XSF&gt;.</text>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "RDF",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='17'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 05 May 2013 16:02:23GMT-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>application/rdf+xml</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <rdf:RDF xmlns:dc="http://purl.org/dc/elements/1.1/"
                                xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
                           <rdf:Description rdf:about="http://example.org/xep">
                               <dc:title>HTTP over XMPP</dc:title>
                               <dc:creator rdf:resource="http://example.org/PeterWaher" />
                               <dc:publisher rdf:resource="http://example.org/XSF" />
                           </rdf:Description>
                       </rdf:RDF>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
    Example(
      name: "SPARQL",
      xml: #"""
        <iq type='result'
            from='httpserver@example.org'
            to='httpclient@example.org/browser'
            id='4'>
           <resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>
               <headers xmlns='http://jabber.org/protocol/shim'>
                   <header name='Date'>Fri, 03 May 2013 17:09:34-4</header>
                   <header name='Server'>Clayster</header>
                   <header name='Content-Type'>application/sparql-results+xml</header>
                   <header name='Content-Length'>...</header>
               </headers>
               <data>
                   <xml>
                       <sparql xmlns="http://www.w3.org/2005/sparql-results#">
                           <head>
                               <variable name="title"/>
                               <variable name="creator"/>
                           </head>
                           <results>
                               <result>
                                   <binding name="title">
                                       <literal>HTTP over XMPP</literal>
                                   </binding>
                                   <binding name="creator">
                                       <uri>http://example.org/PeterWaher</uri>
                                   </binding>
                               </result>
                           </results>
                       </sparql>
                   </xml>
               </data>
           </resp>
        </iq>
        """#),
  ]
}
