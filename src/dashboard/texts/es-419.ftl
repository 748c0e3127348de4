# Todo lo que dicen las páginas del titular, en español (Latinoamérica). Sin formas de tú o usted donde se puede.

## Frame of every page

service-name = Huella de carbono
skip-link = Ir al contenido
overview-link = Resumen
language-heading = Idioma
view-ends = Esta vista se cierra a las { $time } { $zone }.
view-ends-soon = Esta vista se cierra en 2 minutos.
keep-open = Mantener abierto
fixed-sentence = Nada de lo que se ve aquí afecta la tarjeta, el límite ni el crédito.

## Figures

figure-kg = { $number } kg
figure-tonnes = { $number } t
figure-under-one = menos de 1 kg
figure-under-minus-one = entre 0 y −1 kg
figure-about = aprox. { $figure }
about = aprox.
exact-grams = { $number } g CO₂e
exact-pounds = { $number } lb CO₂e
column-footprint = Huella
payments-count = { $count ->
    [one] { $shown } transacción
    [many] { $shown } de transacciones
   *[other] { $shown } transacciones
}

## Confidence

confidence = Nivel de confianza
confidence-high = alto
confidence-medium = medio
confidence-low = bajo
confidence-none = no incluido

## Overview: month and total

overview-title = Huella, { $month }
month-heading = Mes
month-select = Elegir un mes
month-show = Ver
month-previous = Mes anterior: { $month }
month-next = Mes siguiente: { $month }
total-heading = Total de { $month }
total-estimate = Estimación
total-so-far = Estimación, en lo que va del mes
total-so-far-incomplete = Estimación, en lo que va del mes, incompleta
total-incomplete = Estimación, incompleta
total-coverage = { $count ->
    [one] { $scored } de { $shown } transacción incluida, { $share } del gasto
    [many] { $scored } de { $shown } de transacciones incluidas, { $share } del gasto
   *[other] { $scored } de { $shown } transacciones incluidas, { $share } del gasto
}
total-no-payments = Sin transacciones en { $month }.
total-only-unscored = Nada se incluye este mes: todas las transacciones son de un tipo que no se calcula.
total-negative = Los reembolsos superan a las compras este mes.
exact-heading = Cifra exacta y datos faltantes
exact-sum = Suma exacta
exact-confidence = Proporción de la huella por nivel de confianza
exact-not-counted = No incluido
exact-why = Estimado a partir de lo que se pagó, no de lo que se compró.
exact-updated = Último cálculo
exact-method = Versión del método

## Overview: state of the calculation

scoring-heading = Cálculo en curso
scoring-waiting = Se están calculando los últimos 12 meses. Por lo general termina en 24 horas.
scoring-progress = { $scored } de { $total } transacciones están listas.
scoring-again = Verificar de nuevo
scoring-failed-heading = No disponible
scoring-failed = No se pudo calcular la huella. El próximo intento será en las próximas 24 horas.
empty-heading = Todavía no hay transacciones
empty-text = Las transacciones de los últimos 12 meses aparecen aquí cuando se liquidan, por lo general en las 24 horas siguientes a la inscripción. Las nuevas aparecen unos días después de la compra.
notice-heading = El método cambió
notice-text = El { $date } las transacciones se calcularon de nuevo con la versión { $version } del método. El total de los últimos 12 meses era { $old } y ahora es { $new }.

## Overview: introduction

intro-heading = Lo que se ve aquí
intro-estimate-heading = Una estimación a partir del gasto
intro-estimate = Cada transacción se convierte en kilogramos de CO₂e según el monto y el tipo de comercio. Es correcta en promedio, no para cada compra.
intro-missing-heading = Una parte del total
intro-missing = No incluye efectivo, otras tarjetas, alquileres pagados por transferencia ni servicios públicos.
intro-card-heading = Sin efecto en la tarjeta
intro-done = Entendido
intro-skip = Omitir
intro-again = Ver la introducción de nuevo

## Overview: comparisons

self-heading = Comparación con meses anteriores
self-month = { $month }: aprox. { $figure }
self-less-previous = aprox. { $figure } menos que en { $month }
self-more-previous = aprox. { $figure } más que en { $month }
self-same-previous = casi igual que en { $month }
self-less-usual = aprox. { $figure } menos que en un mes habitual
self-more-usual = aprox. { $figure } más que en un mes habitual
self-same-usual = casi igual que en un mes habitual
self-usual-note = { $count ->
    [one] El mes habitual es la mediana del último mes completo ({ $shown }).
    [many] El mes habitual es la mediana de los últimos { $shown } de meses completos.
   *[other] El mes habitual es la mediana de los últimos { $shown } meses completos.
}
benchmark-heading = Promedio mensual
benchmark-who = Quién
benchmark-you = Huella propia
benchmark-country = Promedio del país
benchmark-world = Promedio mundial
benchmark-goal = Meta de la ONU
benchmark-coverage = La tarjeta muestra una parte de la vida; la cifra del país lo muestra todo: industria, servicios públicos, calefacción y compras pagadas de otras formas.
benchmark-gases = Estas tres barras cuentan solo CO₂, como las estadísticas nacionales. Las demás cifras cuentan todos los gases de efecto invernadero (CO₂e).
benchmark-missing = No hay una cifra nacional para { $country }; se muestra el promedio mundial.
benchmark-none = No hay una cifra con la que comparar para { $country }.
benchmark-sources = Fuentes
benchmark-own = { $count ->
    [one] Huella propia: promedio del último mes completo ({ $shown }).
    [many] Huella propia: promedio de los últimos { $shown } de meses completos.
   *[other] Huella propia: promedio de los últimos { $shown } meses completos.
}
benchmark-country-source = Promedio: CO₂ emitido por persona en { $year } ({ $place }), dividido entre 12. Our World in Data y Global Carbon Project, licencia CC BY 4.0.
benchmark-goal-source = Meta de la ONU: la mitad del valor de { $year } ({ $place }), dividida entre 12.
place-world = mundo

## Overview: twelve months

months-heading = 12 meses
months-highest = El más alto: { $month }, { $figure }.
months-table = Mostrar como tabla
months-month = Mes
months-running = hasta ahora
months-none = sin datos
months-line-country = Promedio del país (CO₂)
months-line-world = Promedio mundial (CO₂)
months-line-goal = Meta de la ONU (CO₂)
months-legend-running = mes en curso

## Overview: categories, what if, payments, donations

categories-heading = Por categoría
categories-category = Categoría
categories-none = Nada que mostrar en { $month }.
categories-change-more = { $figure } más que el mes anterior
categories-change-less = { $figure } menos que el mes anterior
categories-change-same = casi igual que el mes anterior
what-if-heading = ¿Y si…?
what-if-category = Categoría
what-if-cut = Reducción
what-if-show = Ver
what-if-result = { $percent } menos de gasto en { $category } serían aprox. { $figure } menos por mes.
what-if-basis = { $count ->
    [one] Calculado con { $shown } mes completo de transacciones propias: ahora { $before } por mes; después, { $after }.
    [many] Calculado con el promedio de { $shown } de meses completos de transacciones propias: ahora { $before } por mes; después, { $after }.
   *[other] Calculado con el promedio de { $shown } meses completos de transacciones propias: ahora { $before } por mes; después, { $after }.
}
payments-heading = Transacciones
payments-all = Todas las transacciones
payments-none = Sin transacciones.
donation-heading = Apoyar un proyecto
donation-note = Una donación no cambia la huella.
about-heading = Acerca de este servicio
about-provider = Un servicio de { $issuer }.
about-card = Tarjeta terminada en { $digits }.
about-method = Versión { $version } del método, vigente desde el { $date }.
about-method-plain = Versión { $version } del método.
link-method = Cómo funciona
link-terms = Términos
link-privacy = Aviso de privacidad
link-opt-out = Dejar de usar este servicio
link-return = Volver a la app

## Category page

category-title = { $category }, { $month }
category-months = Meses
category-share = { $share } de la huella del mes
category-payments = Transacciones de { $month }

## Payments page

payments-title = Transacciones, { $month }
payments-title-all = Transacciones
payments-title-category = Transacciones: { $category }
payments-range = { $first } a { $last } de { $total }
payments-previous-page = Página anterior
payments-next-page = Página siguiente
payments-pages = Páginas
payments-date = Fecha
payments-amount = Monto
payments-refund = reembolso
payments-reversal = reversión
payments-not-counted = no incluido

## Payment page

payment-title = ¿Cómo se estimó?
payment-facts = Transacción
payment-status = Tipo
payment-status-purchase = pago
payment-unknown-merchant = Pago con tarjeta
payment-category = Categoría
payment-category-mcc = según el código de categoría { $mcc } del comercio
payment-country = País del comercio
payment-steps = Cálculo
payment-converted = Convertido
payment-converted-value = { $amount }, al tipo de cambio del { $date }
payment-price-year = En precios de { $year }
payment-price-year-value = { $amount } (× { $factor })
payment-factor = Factor de emisión
payment-factor-value = { $factor } kg CO₂e por { $unit }
payment-quantity = { $carrier }
payment-quantity-value = { $quantity } a { $price } por { $unit }, { $factor } kg CO₂e por { $unit }
carrier-petrol = Gasolina
carrier-diesel = Diésel
carrier-natural_gas = Gas natural
carrier-electricity = Electricidad
unit-litre = L
unit-kwh = kWh
payment-source = Fuente del factor
payment-source-europe = FIGARO (Eurostat), con estructura de precios e IVA
payment-source-usa = Factores de cadenas de suministro de la EPA de EE. UU., con bienes importados corregidos
payment-source-energy = EPA Emission Factors Hub, NGA Factors; precios y redes por país
payment-sum = La suma en una línea
payment-result = Resultado
payment-stored = La cifra guardada se hizo con los datos de su día; los de hoy dan otra suma. Vale la cifra guardada.
payment-reversed = Esta reversión resta exactamente lo que sumó la transacción original, por lo que no tiene cálculo propio.
reason-measured_quantity = La cantidad se midió.
reason-sector_factor = Un solo tipo de producto o servicio, con un factor de su sector.
reason-mixed_basket = El comercio vende muchos tipos de cosas; no se sabe qué se compró.
reason-rough_sector = Se sabe que el factor de este sector es aproximado.
reason-quantity_from_price = La cantidad de energía se calculó a partir del precio.
payment-nothing = Esta transacción no se incluye: no suma nada al total.
unscored-not-scored = Todavía no se compró nada, o no se sabe qué: { $category }.
unscored-invalid-mcc = El código de categoría del comercio es desconocido.
unscored-unsupported-currency = No hay tipo de cambio para la moneda.
unscored-out-of-range = No se pudo calcular el monto.
payment-refund-note = Un reembolso cuenta en el mes en que se liquida.

## Method page

method-title = Cómo funciona
method-estimate-heading = De la transacción a la huella
method-estimate = El monto se convierte al tipo de cambio del día, se lleva a los precios de un mismo año y se multiplica por las emisiones promedio de ese tipo de comercio en su país. Para combustible y electricidad, el precio dice cuántos litros o kilovatios hora se compraron, y estos se multiplican por lo que emiten al producirse y usarse.
method-limits-heading = Límites
method-limits = Dos compras del mismo precio en el mismo tipo de comercio reciben la misma cifra, sea cual sea su contenido. Lo caro parece emitir más de lo que emite; lo barato, menos. Solo cuentan las transacciones liquidadas.
method-confidence-heading = Nivel de confianza
method-confidence-high = Alto: a partir de una cantidad medida.
method-confidence-medium = Medio: un solo tipo de producto o servicio, con un factor de su sector.
method-confidence-low = Bajo: compras mixtas, cantidades calculadas a partir de precios, sectores aproximados.
method-rounding = Los totales se redondean a dos cifras porque más no serían ciertas.
method-refunds-heading = Reembolsos
method-refunds = Un reembolso cuenta con signo menos en el mes en que se liquida. Así, un mes puede quedar por debajo de cero.
method-unscored-heading = Lo que no se incluye
method-unscored = Efectivo, transferencias, préstamos, saldos prepagados, apuestas, impuestos, multas y valores. No suman nada, y se muestra su parte del gasto.
method-sources-heading = Fuentes
method-sources = Factores de emisión: FIGARO (Eurostat) para 30 países europeos, EPA de EE. UU. para los demás. Tipos de cambio: Banco Central Europeo. Precios: Eurostat, Comisión Europea, autoridades de EE. UU. Promedios de países: Our World in Data.
method-versions-heading = Versión
method-privacy-heading = Quién ve qué
method-privacy = El titular y el servicio de { $issuer } ven estas cifras. Se guardan cifradas, no se venden y se borran al dejar de usar el servicio. Ninguna página de esta vista carga nada de otro lugar.

## Introduction page

intro-title = Introducción

## Pages that end a visit

closed-title = Esta vista se cerró
closed-text = Abrir de nuevo desde la app del banco.
closed-no-cookie = Esta app no guarda cookies, por lo que la vista no puede quedar abierta. Permitir las cookies y abrir de nuevo.
missing-title = Página no encontrada
missing-text = No hay nada en esta dirección.
busy-title = Un momento
busy-text = { $count ->
    [one] Intentar de nuevo en { $shown } segundo.
    [many] Intentar de nuevo en { $shown } de segundos.
   *[other] Intentar de nuevo en { $shown } segundos.
}
failed-title = Algo salió mal
failed-text = No se pudo crear la página. Al informarlo, indicar el número { $id }.

## Spending areas

area-unknown = Categoría desconocida
area-groceries = Alimentos
area-specialty_food = Delicatessen y minimercados
area-alcohol = Cerveza, vino y licores
area-tobacco = Tabaco
area-restaurants = Restaurantes
area-fast_food = Comida rápida
area-bars = Bares y clubes
area-general_merchandise = Tiendas por departamentos
area-online_retail = Compras en línea y por correo
area-clothing = Ropa
area-shoes_leather = Calzado y cuero
area-electronics = Electrónica
area-furniture_home = Muebles y hogar
area-appliances = Electrodomésticos
area-diy_garden = Ferretería y jardín
area-sports_hobby = Deportes, juguetes y pasatiempos
area-books_media = Libros y periódicos
area-jewelry_gifts = Joyas y regalos
area-health_beauty = Farmacia y cosmética
area-pets = Mascotas
area-second_hand = Artículos usados
area-business_supplies = Insumos para empresas
area-road_fuel = Combustible
area-ev_charging = Carga de auto eléctrico
area-vehicles = Vehículos
area-vehicle_service = Repuestos y taller
area-parking_tolls = Estacionamiento y peajes
area-public_transport = Transporte público
area-taxi = Taxi
area-flights = Vuelos
area-car_rental = Alquiler de autos
area-sea_travel = Cruceros y ferris
area-freight = Mudanzas y correo
area-utilities = Electricidad, gas y agua
area-heating_fuel = Combustible de calefacción
area-housing = Alquiler e inmuebles
area-home_services = Servicios para el hogar
area-telecom = Teléfono, internet y TV
area-hotels = Hoteles
area-travel_agencies = Paquetes de viaje
area-entertainment = Cine y eventos
area-sport_recreation = Deporte y recreación
area-digital_media = Medios digitales y juegos
area-health = Salud
area-education = Educación
area-childcare = Cuidado infantil
area-personal_services = Servicios personales
area-professional_services = Servicios profesionales
area-insurance_finance = Seguros y finanzas
area-organizations = Organizaciones y membresías
area-government = Trámites públicos
area-repair = Reparación y alquiler
area-cash = Efectivo
area-transfers = Transferencias y deudas
area-gambling = Apuestas
area-taxes_fines = Impuestos y multas
area-securities = Valores
area-network_internal = Red de tarjetas
