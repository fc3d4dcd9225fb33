#pragma once
#include <libxml/xmlversion.h>
// Where libxml2 was built with ICU, its headers include those of the system's ICU, whose types contradict those of the ICU
// that is part of Foundation as soon as both are loaded. Nothing that is used here depends on it.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/dict.h>
#include <libxml/xmlerror.h>
