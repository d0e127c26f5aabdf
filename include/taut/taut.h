/* taut.h - everything a module needs, in one include. Families of services are included by name: taut/svc/…h */
#ifndef TAUT_H
#define TAUT_H

#include "taut/abi.h"
#include "taut/call.h"
#include "taut/command.h"
#include "taut/conn.h"
#include "taut/hook.h"
#include "taut/host.h"
#include "taut/json.h"
#include "taut/method.h"
#include "taut/module.h"
#include "taut/observe.h"
#include "taut/option.h"
#include "taut/request.h"
#include "taut/route.h"
#include "taut/table.h"
#include "taut/types.h"

#endif
