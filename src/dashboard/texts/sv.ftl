# Allt som kortinnehavarens sidor säger, på svenska.

## Frame of every page

service-name = Klimatavtryck
skip-link = Hoppa till innehållet
overview-link = Översikt
language-heading = Språk
view-ends = Vyn stängs kl. { $time } { $zone }.
view-ends-soon = Vyn stängs om 2 minuter.
keep-open = Håll öppen
fixed-sentence = Inget här påverkar ditt kort, din köpgräns eller din kredit.

## Figures

figure-kg = { $number } kg
figure-tonnes = { $number } ton
figure-under-one = mindre än 1 kg
figure-under-minus-one = mellan 0 och −1 kg
figure-about = cirka { $figure }
about = cirka
exact-grams = { $number } g CO₂e
exact-pounds = { $number } pund CO₂e
column-footprint = Avtryck
payments-count = { $count ->
    [one] { $shown } transaktion
   *[other] { $shown } transaktioner
}

## Confidence

confidence = Tillförlitlighet
confidence-high = hög
confidence-medium = medel
confidence-low = låg
confidence-none = räknas inte

## Overview: month and total

overview-title = Klimatavtryck, { $month }
month-heading = Månad
month-select = Välj månad
month-show = Visa
month-previous = Föregående månad: { $month }
month-next = Nästa månad: { $month }
total-heading = Summa för { $month }
total-estimate = Uppskattning
total-so-far = Uppskattning, hittills den här månaden
total-so-far-incomplete = Uppskattning, hittills den här månaden, ofullständig
total-incomplete = Uppskattning, ofullständig
total-coverage = { $count ->
    [one] { $scored } av { $shown } transaktion räknas, { $share } av utgifterna
   *[other] { $scored } av { $shown } transaktioner räknas, { $share } av utgifterna
}
total-no-payments = Inga transaktioner i { $month }.
total-only-unscored = Inget räknas den här månaden: alla transaktioner är av ett slag som inte räknas.
total-negative = Återbetalningarna är större än köpen den här månaden.
exact-heading = Exakt siffra och luckor
exact-sum = Exakt summa
exact-confidence = Avtryckets andel efter tillförlitlighet
exact-not-counted = Räknas inte
exact-why = Uppskattat utifrån vad som betalades, inte utifrån vad som köptes.
exact-updated = Senast beräknat
exact-method = Metodversion

## Overview: state of the calculation

scoring-heading = Beräkningen pågår
scoring-waiting = Vi går igenom de senaste 12 månaderna. Det är oftast klart inom 24 timmar.
scoring-progress = { $scored } av { $total } transaktioner är klara.
scoring-again = Kontrollera igen
scoring-failed-heading = Inte tillgängligt
scoring-failed = Klimatavtrycket kunde inte beräknas. Nästa försök görs inom 24 timmar.
empty-heading = Inga transaktioner ännu
empty-text = Dina korttransaktioner från de senaste 12 månaderna visas här när de är bokförda, oftast inom 24 timmar efter anslutningen. Nya transaktioner kommer några dagar efter köpet.
notice-heading = Metoden har ändrats
notice-text = Den { $date } beräknades dina transaktioner på nytt med metodversion { $version }. Summan för de senaste 12 månaderna var { $old } före och är { $new } nu.

## Overview: introduction

intro-heading = Det här visas
intro-estimate-heading = En uppskattning utifrån köp
intro-estimate = Varje transaktion räknas om till kilogram CO₂e utifrån belopp och typ av butik. Det stämmer i genomsnitt, inte för varje köp.
intro-missing-heading = En del av bilden
intro-missing = Kontanter, andra kort, hyra som betalas med överföring och offentliga tjänster ingår inte.
intro-card-heading = Påverkar inte kortet
intro-done = Jag förstår
intro-skip = Hoppa över
intro-again = Visa introduktionen igen

## Overview: comparisons

self-heading = Jämfört med dig själv
self-month = { $month }: cirka { $figure }
self-less-previous = cirka { $figure } lägre än { $month }
self-more-previous = cirka { $figure } högre än { $month }
self-same-previous = ungefär lika mycket som { $month }
self-less-usual = cirka { $figure } lägre än din vanliga månad
self-more-usual = cirka { $figure } högre än din vanliga månad
self-same-usual = ungefär lika mycket som din vanliga månad
self-usual-note = { $count ->
    [one] Den vanliga månaden är medianen av den senaste { $shown } hela månaden.
   *[other] Den vanliga månaden är medianen av de senaste { $shown } hela månaderna.
}
benchmark-heading = I genomsnitt per månad
benchmark-who = Vem
benchmark-you = Du
benchmark-country = Landets genomsnitt
benchmark-world = Världens genomsnitt
benchmark-goal = FN:s mål
benchmark-coverage = Ditt kort visar en del av ditt liv. Landets siffra visar allt: industri, offentliga tjänster, uppvärmning och köp som betalas på andra sätt.
benchmark-gases = De här tre staplarna räknar bara CO₂, som nationell statistik gör. Alla andra siffror här räknar alla växthusgaser (CO₂e).
benchmark-missing = Det finns ingen siffra för landet { $country }, så världens genomsnitt visas.
benchmark-none = Det finns ingen siffra att jämföra med för landet { $country }.
benchmark-sources = Källor
benchmark-own = { $count ->
    [one] Du: medelvärdet av din senaste { $shown } hela månad.
   *[other] Du: medelvärdet av dina senaste { $shown } hela månader.
}
benchmark-country-source = Genomsnitt: CO₂-utsläpp per person { $year } ({ $place }), delat med 12. Our World in Data och Global Carbon Project, licens CC BY 4.0.
benchmark-goal-source = FN:s mål: hälften av värdet för { $year } ({ $place }), delat med 12.
place-world = världen

## Overview: twelve months

months-heading = 12 månader
months-highest = Högst: { $month }, { $figure }.
months-table = Visa som tabell
months-month = Månad
months-running = hittills
months-none = inga uppgifter
months-line-country = Landets genomsnitt (CO₂)
months-line-world = Världens genomsnitt (CO₂)
months-line-goal = FN:s mål (CO₂)
months-legend-running = pågående månad

## Overview: categories, what if, payments, donations

categories-heading = Per kategori
categories-category = Kategori
categories-none = Inget att visa för { $month }.
categories-change-more = { $figure } mer än månaden före
categories-change-less = { $figure } mindre än månaden före
categories-change-same = ungefär som månaden före
what-if-heading = Tänk om …
what-if-category = Kategori
what-if-cut = Minskat med
what-if-show = Visa
what-if-result = { $percent } lägre utgifter för { $category } skulle ge cirka { $figure } mindre per månad.
what-if-basis = { $count ->
    [one] Räknat på { $shown } hel månad av dina egna transaktioner: { $before } per månad nu, { $after } då.
   *[other] Räknat på medelvärdet av { $shown } hela månader av dina egna transaktioner: { $before } per månad nu, { $after } då.
}
payments-heading = Transaktioner
payments-all = Alla transaktioner
payments-none = Inga transaktioner.
donation-heading = Stöd ett projekt
donation-note = En gåva ändrar inte klimatavtrycket.
about-heading = Om tjänsten
about-provider = En tjänst från { $issuer }.
about-card = Kort som slutar på { $digits }.
about-method = Metodversion { $version }, gäller sedan { $date }.
about-method-plain = Metodversion { $version }.
link-method = Så fungerar det
link-terms = Villkor
link-privacy = Integritetspolicy
link-opt-out = Sluta använda tjänsten
link-return = Tillbaka till appen

## Category page

category-title = { $category }, { $month }
category-months = Månader
category-share = { $share } av månadens avtryck
category-payments = Transaktioner i { $month }

## Payments page

payments-title = Transaktioner, { $month }
payments-title-all = Transaktioner
payments-title-category = Transaktioner: { $category }
payments-range = { $first } till { $last } av { $total }
payments-previous-page = Föregående sida
payments-next-page = Nästa sida
payments-pages = Sidor
payments-date = Datum
payments-amount = Belopp
payments-refund = återbetalning
payments-reversal = återföring
payments-not-counted = räknas inte

## Payment page

payment-title = Hur har detta uppskattats?
payment-facts = Transaktion
payment-status = Typ
payment-status-purchase = köp
payment-unknown-merchant = Kortköp
payment-category = Kategori
payment-category-mcc = från butikens kategorikod { $mcc }
payment-country = Butikens land
payment-steps = Beräkning
payment-converted = Omräknat
payment-converted-value = { $amount }, till kursen den { $date }
payment-price-year = I { $year } års priser
payment-price-year-value = { $amount } (× { $factor })
payment-factor = Utsläppsfaktor
payment-factor-value = { $factor } kg CO₂e per { $unit }
payment-quantity = { $carrier }
payment-quantity-value = { $quantity } för { $price } per { $unit }, { $factor } kg CO₂e per { $unit }
carrier-petrol = Bensin
carrier-diesel = Diesel
carrier-natural_gas = Naturgas
carrier-electricity = El
unit-litre = liter
unit-kwh = kWh
payment-source = Faktorns källa
payment-source-europe = FIGARO (Eurostat), med prisstruktur och moms
payment-source-usa = US EPA:s faktorer för leveranskedjor, korrigerade för importvaror
payment-source-energy = EPA Emission Factors Hub, NGA Factors; priser och elnät per land
payment-sum = Summan på en rad
payment-result = Resultat
payment-stored = Den sparade siffran gjordes med den dagens uppgifter; dagens uppgifter ger en annan summa. Den sparade siffran gäller.
payment-reversed = Återföringen tar tillbaka exakt det som den ursprungliga transaktionen räknade, så den har ingen egen beräkning.
reason-measured_quantity = Mängden är uppmätt.
reason-sector_factor = Ett slag av vara eller tjänst, med en faktor för dess bransch.
reason-mixed_basket = Butiken säljer många slags varor; vad som köptes är inte känt.
reason-rough_sector = Faktorn för den här branschen är grov.
reason-quantity_from_price = Energimängden är framräknad ur priset.
payment-nothing = Transaktionen räknas inte: den lägger inget till summan.
unscored-not-scored = Inget köps ännu, eller ingen vet vad: { $category }.
unscored-invalid-mcc = Butikens kategorikod är okänd.
unscored-unsupported-currency = Det finns ingen växelkurs för valutan.
unscored-out-of-range = Beloppet kunde inte beräknas.
payment-refund-note = En återbetalning räknas i den månad då den bokförs.

## Method page

method-title = Så fungerar det
method-estimate-heading = Från transaktion till klimatavtryck
method-estimate = Beloppet räknas om med köpdagens kurs, justeras till ett års priser och multipliceras med de genomsnittliga utsläppen för den typen av butik i dess land. För drivmedel och el visar priset hur många liter eller kilowattimmar som köptes, och de multipliceras med utsläppen från produktion och användning.
method-limits-heading = Begränsningar
method-limits = Två varukorgar med samma pris från samma typ av butik får samma siffra, oavsett innehåll. Dyra varor verkar släppa ut mer än de gör, billiga mindre. Bara bokförda transaktioner räknas.
method-confidence-heading = Tillförlitlighet
method-confidence-high = Hög: från en uppmätt mängd.
method-confidence-medium = Medel: ett slag av vara eller tjänst, med en faktor för dess bransch.
method-confidence-low = Låg: blandade varukorgar, mängder framräknade ur priser, grova branscher.
method-rounding = Summor avrundas till två siffror, eftersom fler inte skulle vara rättvisande.
method-refunds-heading = Återbetalningar
method-refunds = En återbetalning räknas med minus i den månad då den bokförs. En månad kan därför hamna under noll.
method-unscored-heading = Det som inte räknas
method-unscored = Kontanter, överföringar, lån, förbetalda kort, spelinsatser, skatter, böter och värdepapper. De lägger inget till, och deras andel av utgifterna visas.
method-sources-heading = Källor
method-sources = Utsläppsfaktorer: FIGARO (Eurostat) för 30 europeiska länder, US EPA i övrigt. Växelkurser: Europeiska centralbanken. Priser: Eurostat, Europeiska kommissionen, amerikanska myndigheter. Länders genomsnitt: Our World in Data.
method-versions-heading = Version
method-privacy-heading = Vem ser vad
method-privacy = Du och tjänsten från { $issuer } ser de här siffrorna. De lagras krypterade, säljs inte och raderas när du slutar använda tjänsten. Ingen sida i den här vyn hämtar något från annat håll.

## Introduction page

intro-title = Introduktion

## Pages that end a visit

closed-title = Vyn har stängts
closed-text = Öppna den igen i bankens app.
closed-no-cookie = Appen sparar inga kakor, så vyn kan inte hållas öppen. Tillåt kakor och öppna den igen.
missing-title = Sidan finns inte
missing-text = Det finns inget på den här adressen.
busy-title = Ett ögonblick
busy-text = { $count ->
    [one] Försök igen om { $shown } sekund.
   *[other] Försök igen om { $shown } sekunder.
}
failed-title = Något gick fel
failed-text = Sidan kunde inte skapas. Om du rapporterar detta, ange numret { $id }.

## Spending areas

area-unknown = Okänd kategori
area-groceries = Livsmedel
area-specialty_food = Delikatesser och närköp
area-alcohol = Öl, vin och sprit
area-tobacco = Tobak
area-restaurants = Restaurang och kafé
area-fast_food = Snabbmat
area-bars = Barer och klubbar
area-general_merchandise = Varuhus
area-online_retail = Näthandel och postorder
area-clothing = Kläder
area-shoes_leather = Skor och läder
area-electronics = Elektronik
area-furniture_home = Möbler och heminredning
area-appliances = Vitvaror och hushållsapparater
area-diy_garden = Bygg och trädgård
area-sports_hobby = Sport, leksaker och hobby
area-books_media = Böcker och tidningar
area-jewelry_gifts = Smycken och presenter
area-health_beauty = Apotek och kosmetika
area-pets = Husdjur
area-second_hand = Begagnat
area-business_supplies = Företagsvaror
area-road_fuel = Drivmedel
area-ev_charging = Laddning av elbil
area-vehicles = Fordon
area-vehicle_service = Bildelar och service
area-parking_tolls = Parkering och vägavgifter
area-public_transport = Kollektivtrafik
area-taxi = Taxi
area-flights = Flygresor
area-car_rental = Hyrbil
area-sea_travel = Kryssningar och färjor
area-freight = Flytt och post
area-utilities = El, gas och vatten
area-heating_fuel = Bränsle för uppvärmning
area-housing = Hyra och fastigheter
area-home_services = Tjänster i hemmet
area-telecom = Telefon, internet och tv
area-hotels = Hotell
area-travel_agencies = Paketresor
area-entertainment = Bio och evenemang
area-sport_recreation = Motion och fritid
area-digital_media = Digitala medier och spel
area-health = Hälsa och vård
area-education = Utbildning
area-childcare = Barnomsorg
area-personal_services = Personliga tjänster
area-professional_services = Professionella tjänster
area-insurance_finance = Försäkring och finans
area-organizations = Föreningar och välgörenhet
area-government = Myndighetstjänster
area-repair = Reparation och uthyrning
area-cash = Kontanter
area-transfers = Överföringar och skulder
area-gambling = Spelinsatser
area-taxes_fines = Skatter och böter
area-securities = Värdepapper
area-network_internal = Kortnätverk
